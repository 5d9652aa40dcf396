package io.llava4j.nano.raw;

import java.util.List;

/**
 * The raw data sets of a nano world: LCS-558K for stage 1, and the ten sources of the mixture with the paper's shares of
 * its conversations.
 */
final class RawSources {
    /** The released mixture's conversations (docs/reference/data.md#instruction-mixture). */
    private static final double MIXTURE = 665_298;

    /** Copies of an A-OKVQA question, one for each option. */
    private static final int COPIES = 4;

    private RawSources() {}

    /**
     * A source of a world.
     *
     * @param name as in {@code recipes/data/nano-mix.yaml}
     * @param count of its images, or of its conversations if they have none
     * @param source what is written
     */
    record Part(String name, int count, RawSource source) {}

    /** All sources, always in the same order; each of the mixture's gives about one conversation for an image. */
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

    /** At least one of each, so that every source is there in the smallest mixture. */
    private static int share(int mixture, int ofReleased) {
        return mixture == 0 ? 0 : (int) Math.max(1, Math.round(mixture / MIXTURE * ofReleased));
    }
}
