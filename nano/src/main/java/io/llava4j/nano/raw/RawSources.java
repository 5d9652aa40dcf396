package io.llava4j.nano.raw;

import java.util.List;

/**
 * The raw data sets of a nano world: LCS-558K for stage 1, and the ten sources of the mixture in the paper's
 * proportions.
 */
final class RawSources {
    /** Conversations of the released mixture by source (docs/reference/data.md#instruction-mixture). */
    private static final double MIXTURE = 665_298;

    /** Copies of an A-OKVQA question, one for each option. */
    private static final int COPIES = 4;

    private RawSources() {}

    /**
     * A source of a world.
     *
     * @param name as in {@code recipes/data/nano-mix.yaml}
     * @param count number of its images, or of its conversations if they have none
     * @param source writes its files
     */
    record Part(String name, int count, RawSource source) {}

    /** All sources in a fixed order; those of the mixture give about one conversation for each image. */
    static List<Part> of(NanoWorldOptions options) {
        int mixture = options.stage2();
        return List.of(
                new Part("lcs", options.stage1(), new LcsSource()),
                new Part("llava-instruct", share(mixture, 157_712), new InstructSource()),
                new Part("sharegpt", share(mixture, 40_688), new ChatSource()),
                new Part("vqav2", share(mixture, 82_783), VqaSource.VQAV2),
                new Part("gqa", share(mixture, 72_140), new GqaSource()),
                new Part("okvqa", share(mixture, 8_998), VqaSource.OKVQA),
                new Part("ocr-vqa", share(mixture, 80_000), new OcrVqaSource()),
                new Part("a-okvqa", share(mixture, 66_160 / COPIES), new AOkvqaSource()),
                new Part("textcaps", share(mixture, 21_953), new TextCapsSource()),
                new Part("refcoco", share(mixture, 48_447), new RefCocoSource()),
                new Part("vg", share(mixture, 86_417), new VisualGenomeSource()));
    }

    /** At least one of each, so that the smallest mixture has every source. */
    private static int share(int mixture, int ofReleased) {
        return mixture == 0 ? 0 : (int) Math.max(1, Math.round(mixture / MIXTURE * ofReleased));
    }
}
