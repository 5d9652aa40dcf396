package io.llava4j.parity;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.Converter.Precision;
import io.llava4j.generate.ModelLoader;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.cpu.CpuImageEncoder;
import io.llava4j.model.cpu.CpuLlamaModel;
import io.llava4j.model.cpu.ImageEncoding;
import io.llava4j.model.cpu.KvContext;
import io.llava4j.text.Prompt;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A Q4_0 file has the bytes of llama.cpp's, and inference from it gives the greedy tokens of the same weights in double
 * precision. "The same" is: weights rounded by the formats' definitions, inputs of their matrices rounded to integers in
 * blocks and keys and values to 16 bits ({@link QuantisedFixture#ROUNDING}), and nothing else.
 *
 * <p>Rounding to integers is a step function: where a number lies within the rounding of 32-bit floats of the middle of two
 * integers, the two models read different integers, and from there on their logits differ by what one of 127 steps makes.
 * That happens in 3 of these 32 sequences. As long as it has not, every token is required to be equal, without exception.
 * After it, logits may differ by {@link #ONE_STEP}, so a token may differ where the best two are closer than that: it does
 * in 2 of 768 steps, with leads of 0.005 and 0.006. No more are accepted.
 */
class QuantisedParityTest {
    private static final int PROMPTS = 4;
    private static final int PROMPT_TOKENS = 8;
    private static final int NEW_TOKENS = 24;

    /** Largest difference of a logit as long as all inputs were rounded to the same integers. */
    private static final double EXACT = 1e-4;

    /** Largest difference of a logit at all; logits have a standard deviation of about 1. */
    private static final double ONE_STEP = 0.05;

    @TempDir
    private Path dir;

    /**
     * Digests of llama.cpp's files, version 0.5.0-dev, commit de3ff81: {@link QuantisedFixture#main} with seed and folder, {@code
     * llama-quantize FOLDER/F32/model-F32.gguf OTHER/model-Q4_0.gguf Q4_0}, the mmproj file copied there, and {@link
     * QuantisedFixture#main} with that folder.
     */
    @ParameterizedTest
    @CsvSource({
        "1, ac0c579c6e1242c44c2e2dee830bba7d11e1e46c176a7026bef64e94a20f0a1b",
        "2, ea099bd6557db27be6f79da698e59c84148b86a3f23b39a76e23bbbd396ad9c4",
        "3, 323fc887bc6860e118ba181d6219f1bf1729c7134132a6e4cd0e71caafa95722",
        "4, 4191bf9bb44e2e450d8e4746622484065f21af59e0c248c9d14f405e602b7981",
        "5, a782b70499dce19558b845847efd23d70e29c441b0f3316ba93c62acc33db7a1",
        "6, a8ab01af9f97f44f1c56bd09305cc48ef1fd8643db39375fbf19b7b8c41717c4",
        "7, b6bfc3206d06a7b6f64ab34dc815e7f4abfd730b880dbb7f6ad35e0be0f94a92",
        "8, fcdb28b21d0323d08c1930b92eeda82de10cd885802b6c62a60bc632420cc25e"
    })
    void greedyTokensAreThoseOfDoublePrecision(long seed, String digestOfLlamaCpp) {
        Path gguf = QuantisedFixture.writeGguf(seed, dir, Precision.Q4_0);
        Map<String, double[]> weights = QuantisedFixture.quantised(seed);
        try (Checkpoint checkpoint = Checkpoint.open(gguf)) {
            assertThat(QuantisedFixture.languageModelDigest(checkpoint)).isEqualTo(digestOfLlamaCpp);
            checkpoint
                    .tensors()
                    .forEach((name, tensor) -> assertThat(wide(tensor.toFloats()))
                            .as(name)
                            .containsExactly(Objects.requireNonNull(weights.get(name))));
        }
        ScalarLlava reference = new ScalarLlava(QuantisedFixture.CONFIG, weights::get, QuantisedFixture.ROUNDING);
        SplittableRandom random = new SplittableRandom(seed);
        List<Compared> answers = new ArrayList<>();
        try (LlavaModel model = ModelLoader.load(gguf, "cpu").model()) {
            for (int prompt = 0; prompt < PROMPTS; prompt++) {
                int[] ids = random.ints(
                                PROMPT_TOKENS, 3, QuantisedFixture.CONFIG.text().vocabSize())
                        .toArray();
                ids[0] = 1;
                if (prompt % 2 == 0) {
                    ids[3] = Prompt.IMAGE_TOKEN_INDEX;
                }
                answers.add(compare(model, reference, ids, QuantisedFixture.pixels(random)));
            }
        }
        assertThat(answers).allMatch(answer -> answer.largest() < ONE_STEP);
        assertThat(answers.stream().filter(answer -> answer.largest() > EXACT)).hasSizeLessThanOrEqualTo(1);
        assertThat(answers.stream().mapToInt(Compared::otherTokens).sum()).isLessThanOrEqualTo(1);
    }

    /**
     * A decoded answer beside the reference's logits of the same tokens.
     *
     * @param largest difference of a logit
     * @param otherTokens that were chosen where the reference chooses another one
     */
    private record Compared(double largest, int otherTokens) {}

    /** Decodes greedily and compares every token. */
    private static Compared compare(LlavaModel model, ScalarLlava reference, int[] prompt, float[] pixels) {
        CpuLlamaModel languageModel = (CpuLlamaModel) model.languageModel();
        List<double[][]> images = new ArrayList<>();
        images.add(reference.imageTokens(reference.imageFeatures(pixels)));
        int hidden = QuantisedFixture.CONFIG.text().hiddenSize();
        float[] states = embeds(model, languageModel, prompt, pixels);
        int[] ids = prompt;
        double largest = 0;
        int others = 0;
        try (KvContext context = languageModel.open()) {
            for (int step = 0; step < NEW_TOKENS; step++) {
                double[] logits = wide(languageModel.read(List.of(
                        new CpuLlamaModel.Chunk(context, MemorySegment.ofArray(states), states.length / hidden, 1))));
                double[][] all = reference.logits(ids, images);
                double[] expected = all[all.length - 1];
                for (int i = 0; i < expected.length; i++) {
                    largest = Math.max(largest, Math.abs(expected[i] - logits[i]));
                }
                int best = best(logits);
                double lead = expected[best(expected)] - expected[best];
                assertThat(lead).as("token %d", step).isLessThan(largest < EXACT ? Double.MIN_VALUE : ONE_STEP);
                others += lead > 0 ? 1 : 0;
                ids = Arrays.copyOf(ids, ids.length + 1);
                ids[ids.length - 1] = best;
                states = languageModel.embed(best);
            }
        }
        return new Compared(largest, others);
    }

    /** Embeddings of a prompt, with the image's tokens in the place of its placeholder. */
    private static float[] embeds(LlavaModel model, CpuLlamaModel languageModel, int[] prompt, float[] pixels) {
        float[] all = {};
        for (int id : prompt) {
            float[] next = id == Prompt.IMAGE_TOKEN_INDEX
                    ? Objects.requireNonNull(new ImageEncoding(CpuImageEncoder.of(model), PreparedImage.of(pixels))
                            .advance(Long.MAX_VALUE))
                    : languageModel.embed(id);
            all = Arrays.copyOf(all, all.length + next.length);
            System.arraycopy(next, 0, all, all.length - next.length, next.length);
        }
        return all;
    }

    private static int best(double[] logits) {
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            best = logits[i] > logits[best] ? i : best;
        }
        return best;
    }

    private static double[] wide(float[] values) {
        double[] wide = new double[values.length];
        Arrays.setAll(wide, i -> values[i] + 0.0); // no -0
        return wide;
    }
}
