package io.llava4j.model.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.image.AspectMode;
import io.llava4j.model.LlamaModel;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.TinyModels;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.format.DType;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The language model on the CPU kernels agrees with the tensor engine's, and with itself to the last bit. */
class CpuLlamaModelTest {
    private static final LlavaConfig CONFIG = TinyModels.config(0, List.of());
    private static final int HIDDEN = CONFIG.text().hiddenSize();
    private static LlavaModel reference;
    private static CpuLlamaModel exact;
    private static CpuLlamaModel halfCache;
    private static CpuLlamaModel longContext;

    @BeforeAll
    static void load() {
        reference = TinyModels.of(CONFIG);
        exact = Engine.scope("test", () -> CpuModels.of(CONFIG, reference.weights(), DType.F32));
        halfCache = Engine.scope("test", () -> CpuModels.of(CONFIG, reference.weights(), DType.F16));
        TextConfig text = new TextConfig(HIDDEN, 24, 2, 4, 2, 24, 300, 1e-5, 10000, false, 1, 2, 0);
        LlavaConfig config = new LlavaConfig(CONFIG.vision(), text, "mlp2x_gelu", -2, false, AspectMode.PAD, -1, 0);
        longContext = Engine.scope("test", () -> CpuModels.of(config, reference.weights(), DType.F16));
    }

    @AfterAll
    static void close() {
        exact.close();
        halfCache.close();
        longContext.close();
        reference.close();
    }

    @Test
    void agreesWithTheTensorEngineAtEveryBlock() {
        Engine.inference("test", () -> {
            LlamaModel llama = reference.llama();
            Tensor embeds = Tensors.of(random(3 * 30 * HIDDEN, 1), 3, 30, HIDDEN);
            List<float[]> expected = new ArrayList<>();
            List<float[]> actual = new ArrayList<>();
            Tensor expectedHidden = llama.hiddenStates(embeds, state -> expected.add(Tensors.toFloats(state)));
            Tensor hidden = exact.hiddenStates(embeds, state -> actual.add(Tensors.toFloats(state)));
            expected.add(Tensors.toFloats(llama.logits(expectedHidden)));
            actual.add(Tensors.toFloats(exact.logits(hidden)));
            assertThat(actual).hasSameSizeAs(expected);
            for (int i = 0; i < expected.size(); i++) {
                assertThat(largestDifference(actual.get(i), expected.get(i)))
                        .as("state %d", i)
                        .isLessThan(5e-6);
            }
            return null;
        });
    }

    @Test
    void aCacheOfHalfPrecisionChangesLogitsALittle() {
        float[] states = random(33 * HIDDEN, 2);
        double difference = largestDifference(readWhole(halfCache, states), readWhole(exact, states));
        assertThat(difference).isGreaterThan(0).isLessThan(2e-3);
    }

    @Test
    void embedsTokens() {
        Engine.inference("test", () -> {
            Tensor ids = Tensors.of(new long[] {3, 0, 23, 3}, 2, 2);
            assertThat(Tensors.toFloats(exact.embed(ids)))
                    .containsExactly(Tensors.toFloats(reference.llama().embed(ids)));
            assertThat(Tensors.shape(exact.embed(ids))).containsExactly(2, 2, HIDDEN);
            return null;
        });
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7, 32})
    void anyChunkingGivesTheSameBits(int chunk) {
        float[] states = random(40 * HIDDEN, 3);
        float[] whole = readWhole(halfCache, states);
        try (KvContext context = halfCache.open()) {
            float[] logits = {};
            for (int from = 0; from < 40; from += chunk) {
                logits = halfCache.read(List.of(chunk(context, states, from, Math.min(chunk, 40 - from))));
            }
            assertThat(logits).containsExactly(whole);
            assertThat(context.length()).isEqualTo(40);
        }
    }

    /** More rows than one pass takes, of sequences of different lengths. */
    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F32", "F16"})
    void neighboursChangeNothing(DType kvType) {
        CpuLlamaModel model = kvType == DType.F32 ? exact : halfCache;
        List<float[]> sequences = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            sequences.add(random((3 + 2 * i) % 40 * HIDDEN + HIDDEN, 10 + i));
        }
        List<KvContext> contexts = new ArrayList<>();
        List<CpuLlamaModel.Chunk> chunks = new ArrayList<>();
        for (float[] states : sequences) {
            contexts.add(model.open());
            chunks.add(chunk(contexts.getLast(), states, 0, states.length / HIDDEN));
        }
        float[] together = model.read(chunks);
        contexts.forEach(KvContext::close);
        List<Float> alone = new ArrayList<>();
        for (float[] states : sequences) {
            for (float logit : readWhole(model, states)) {
                alone.add(logit);
            }
        }
        assertThat(together).containsExactly(alone.toArray(Float[]::new));
    }

    @Test
    void forksContinueOnTheirOwn() {
        float[] states = random(36 * HIDDEN, 4);
        float[] other = states.clone();
        System.arraycopy(random(6 * HIDDEN, 5), 0, other, 30 * HIDDEN, 6 * HIDDEN);
        KvContext prefix = halfCache.open();
        halfCache.read(List.of(chunk(prefix, states, 0, 30)));
        try (KvContext first = prefix.fork();
                KvContext second = prefix.fork()) {
            prefix.close();
            float[] a = halfCache.read(List.of(chunk(first, states, 30, 6)));
            float[] b = halfCache.read(List.of(chunk(second, other, 30, 6)));
            assertThat(a).containsExactly(readWhole(halfCache, states));
            assertThat(b).containsExactly(readWhole(halfCache, other));
            assertThat(a).isNotEqualTo(b);
        }
    }

    /** Across pages, one of which a fork still reads. */
    @ParameterizedTest
    @ValueSource(ints = {1, 63, 64, 65, 130})
    void whatWasTruncatedLeavesNoTrace(int kept) {
        float[] states = random(140 * HIDDEN, 8);
        float[] other = states.clone();
        System.arraycopy(random(9 * HIDDEN, 9), 0, other, kept * HIDDEN, 9 * HIDDEN);
        long pages = KvPage.open();
        try (KvContext context = longContext.open()) {
            longContext.read(List.of(chunk(context, states, 0, 140)));
            try (KvContext fork = context.fork()) {
                context.truncate(kept);
                assertThat(context.length()).isEqualTo(kept);
                float[] continued = longContext.read(List.of(chunk(context, other, kept, 9)));
                assertThat(continued)
                        .containsExactly(readWhole(longContext, Arrays.copyOf(other, (kept + 9) * HIDDEN)));
                fork.truncate(139);
                assertThat(longContext.read(List.of(chunk(fork, states, 139, 1))))
                        .containsExactly(readWhole(longContext, states));
            }
            assertThat(KvPage.open() - pages).isEqualTo(Math.ceilDiv(kept + 9, KvLayout.POSITIONS));
        }
        assertThat(KvPage.open()).isEqualTo(pages);
    }

    /** Of any number of tokens at the end of a chunk, also where a pass ends in between. */
    @Test
    void logitsOfSeveralTokensAreThoseOfEachAlone() {
        float[] states = random(260 * HIDDEN, 10);
        try (KvContext one = longContext.open();
                KvContext two = longContext.open();
                KvContext three = longContext.open()) {
            float[] logits = longContext.read(
                    List.of(chunk(one, states, 5, 3, 0), chunk(two, states, 0, 260, 7), chunk(three, states, 0, 2, 2)));
            List<Float> wanted = new ArrayList<>();
            for (int length : new int[] {254, 255, 256, 257, 258, 259, 260, 1, 2}) {
                for (float logit : readWhole(longContext, Arrays.copyOf(states, length * HIDDEN))) {
                    wanted.add(logit);
                }
            }
            assertThat(logits).containsExactly(wanted.toArray(Float[]::new));
        }
    }

    @Test
    void aForkOfTheFirstTokensForgetsTheOthers() {
        float[] states = random(36 * HIDDEN, 6);
        try (KvContext whole = halfCache.open()) {
            halfCache.read(List.of(chunk(whole, states, 0, 36)));
            try (KvContext beginning = whole.fork(11)) {
                assertThat(beginning.length()).isEqualTo(11);
                float[] other = states.clone();
                System.arraycopy(random(9 * HIDDEN, 7), 0, other, 11 * HIDDEN, 9 * HIDDEN);
                float[] continued = halfCache.read(List.of(chunk(beginning, other, 11, 9)));
                assertThat(continued).containsExactly(readWhole(halfCache, Arrays.copyOf(other, 20 * HIDDEN)));
            }
        }
    }

    private static float[] readWhole(CpuLlamaModel model, float[] states) {
        try (KvContext context = model.open()) {
            return model.read(List.of(chunk(context, states, 0, states.length / HIDDEN)));
        }
    }

    private static CpuLlamaModel.Chunk chunk(KvContext context, float[] states, int from, int tokens) {
        return chunk(context, states, from, tokens, 1);
    }

    private static CpuLlamaModel.Chunk chunk(KvContext context, float[] states, int from, int tokens, int wanted) {
        long width = (long) HIDDEN * Float.BYTES;
        return new CpuLlamaModel.Chunk(
                context, MemorySegment.ofArray(states).asSlice(from * width, tokens * width), tokens, wanted);
    }

    private static float[] random(int count, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextDouble(-1, 1);
        }
        return values;
    }

    private static double largestDifference(float[] actual, float[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        double largest = 0;
        for (int i = 0; i < actual.length; i++) {
            largest = Math.max(largest, Math.abs(actual[i] - expected[i]));
        }
        return largest;
    }
}
