package io.llava4j.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.ConfigException;
import io.llava4j.LlavaException;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SamplerTest {
    private static final float[] LOGITS = {0.5f, 2, -1, 2, 1};
    private static final int[] NO_IDS = {};

    @Test
    void greedyTakesTheFirstOfTheHighest() {
        assertThat(new Sampler(GenerationOptions.greedy(1)).sample(LOGITS, NO_IDS))
                .isEqualTo(1);
        assertThat(Sampler.probabilities(LOGITS, NO_IDS, GenerationOptions.greedy(1)))
                .containsExactly(0, 1, 0, 0, 0);
    }

    @Test
    void thePenaltyCountsAnIdOnceAndSkipsPlaceholders() {
        GenerationOptions options = new GenerationOptions(1, 0, 1, 0, 2.5, 0);

        // 2 / 2.5 = 0.8 for id 1 and for id 3, so id 4 with 1 is the highest.
        assertThat(new Sampler(options).sample(LOGITS, new int[] {-200, 1, 3, 1, 1}))
                .isEqualTo(4);
        assertThat(LOGITS).containsExactly(0.5f, 2, -1, 2, 1);
    }

    @Test
    void topKKeepsTiesAndNucleusKeepsAtLeastOne() {
        assertThat(Sampler.probabilities(LOGITS, NO_IDS, new GenerationOptions(1, 1, 1, 1, 1, 0)))
                .containsExactly(0, 0.5, 0, 0.5, 0);
        assertThat(Sampler.probabilities(LOGITS, NO_IDS, new GenerationOptions(1, 1, 1e-6, 0, 1, 0)))
                .containsExactly(0, 0, 0, 1, 0);
    }

    @Test
    void drawsFollowTheProbabilitiesAndTheSeed() {
        GenerationOptions options = new GenerationOptions(1, 0.8, 0.9, 0, 1, 11);
        double[] expected = Sampler.probabilities(LOGITS, NO_IDS, options);
        int draws = 20_000;
        int[] counts = new int[LOGITS.length];
        Sampler sampler = new Sampler(options);
        for (int i = 0; i < draws; i++) {
            counts[sampler.sample(LOGITS, NO_IDS)]++;
        }
        for (int id = 0; id < counts.length; id++) {
            assertThat((double) counts[id] / draws).isCloseTo(expected[id], within(0.015));
        }
        assertThat(expected[2]).isZero();
        assertThat(counts[2]).isZero();

        Sampler first = new Sampler(options);
        Sampler second = new Sampler(options);
        assertThat(IntStream.range(0, 50).map(i -> first.sample(LOGITS, NO_IDS)).toArray())
                .isEqualTo(IntStream.range(0, 50)
                        .map(i -> second.sample(LOGITS, NO_IDS))
                        .toArray());
    }

    @Test
    void closeLogitsAreANearTie() {
        Sampler sampler = new Sampler(GenerationOptions.greedy(1));
        float[] logits = {4, -10, 3.9f, Float.NEGATIVE_INFINITY};
        // 0.1 apart, and each may be off by 0.4 % of 10, then by 0.6 %.
        assertThat(sampler.isNearTie(logits, NO_IDS, 0.004)).isFalse();
        assertThat(sampler.isNearTie(logits, NO_IDS, 0.006)).isTrue();
        assertThat(sampler.isNearTie(new float[] {1, 1}, NO_IDS, 0)).isTrue();
        Sampler penalising = new Sampler(new GenerationOptions(1, 0, 1, 0, 2, 0));
        assertThat(penalising.isNearTie(logits, NO_IDS, 0.004)).isTrue();
        assertThat(penalising.isNearTie(logits, NO_IDS, 0.002)).isFalse();
    }

    @Test
    void unusableOptionsAndLogitsAreRefused() {
        refused(() -> new GenerationOptions(0, 0, 1, 0, 1, 0), "max-new-tokens must be 1 or more, not 0");
        refused(() -> new GenerationOptions(1, -1, 1, 0, 1, 0), "temperature must be a finite number of 0 or more");
        refused(() -> new GenerationOptions(1, Double.NaN, 1, 0, 1, 0), "temperature must be a finite number");
        refused(() -> new GenerationOptions(1, 1, 0, 0, 1, 0), "top-p must be above 0 and at most 1, not 0.0");
        refused(() -> new GenerationOptions(1, 1, 1, -1, 1, 0), "top-k must be 0 or more, not -1");
        refused(() -> new GenerationOptions(1, 1, 1, 0, 0, 0), "repetition-penalty must be a finite number above 0");
        Sampler greedy = new Sampler(GenerationOptions.greedy(1));
        assertThatThrownBy(() -> greedy.sample(new float[] {1, Float.NaN}, NO_IDS))
                .isInstanceOf(LlavaException.class)
                .hasMessageContaining("not numbers");
    }

    private static void refused(ThrowingCallable options, String reason) {
        assertThatThrownBy(options).isInstanceOf(ConfigException.class).hasMessageStartingWith(reason);
    }

    @Test
    void aTemperatureBeyondTheRangeOfFloatsIsGreedyInTheLimit() {
        for (double temperature : new double[] {1e-30, 1e-38, 1e-39, 1e-46, Double.MIN_VALUE}) {
            GenerationOptions tiny = new GenerationOptions(1, temperature, 0.9, 2, 1, 0);
            assertThat(Sampler.probabilities(new float[] {1, 5, 4.9f}, new int[0], tiny))
                    .containsExactly(0, 1, 0);
            assertThat(Sampler.probabilities(new float[] {-3, -1, -2}, new int[0], tiny))
                    .containsExactly(0, 1, 0);
            assertThat(Sampler.probabilities(new float[] {0, -1, -2}, new int[0], tiny))
                    .containsExactly(1, 0, 0);
        }
    }

    /** The filters that sort the vocabulary, bit for bit: with ties, forbidden tokens, and sums at the border. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void theFiltersKeepWhatSortingTheVocabularyKeeps(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 2000; i++) {
            float[] logits = logits(random);
            int topK = random.nextInt(logits.length + 2);
            double topP = switch (random.nextInt(5)) {
                case 0 -> 1.0;
                case 1 -> (1 + random.nextInt(logits.length)) / (double) logits.length; // at the border of equal ones
                case 2 -> 0.5;
                case 3 -> Math.nextDown(1.0);
                default -> random.nextDouble(1e-3, 1);
            };
            float[] scores = logits.clone();
            int[] ascending = ascending(scores);
            if (topK > 0 && topK < scores.length) {
                sortedTop(scores, ascending, topK);
            }
            if (topP < 1) {
                sortedNucleus(scores, ascending, topP);
            }
            assertThat(Sampler.probabilities(logits, NO_IDS, new GenerationOptions(1, 1, topP, topK, 1, 0)))
                    .as("%s, top-k %d, top-p %s", Arrays.toString(logits), topK, topP)
                    .containsExactly(Sampler.softmax(scores));
        }
    }

    private static float[] logits(SplittableRandom random) {
        float[] logits = new float[1 + random.nextInt(random.nextBoolean() ? 8 : 300)];
        double width = random.nextDouble(0, 20);
        boolean coarse = random.nextBoolean();
        for (int id = 0; id < logits.length; id++) {
            double logit = random.nextDouble(-width, width + 1e-9);
            logits[id] = id > 0 && random.nextInt(8) == 0
                    ? Float.NEGATIVE_INFINITY
                    : (float) (coarse ? Math.rint(logit) : logit);
        }
        return logits;
    }

    /** Ids by score, lowest first; equal scores by id. */
    private static int[] ascending(float[] scores) {
        long[] keys = new long[scores.length];
        for (int id = 0; id < scores.length; id++) {
            int bits = Float.floatToIntBits(scores[id] + 0f);
            // Flips the bits of negative numbers, whose order as integers runs the other way.
            keys[id] = ((long) (bits ^ (bits >> 31 & Integer.MAX_VALUE)) << 32) | id;
        }
        Arrays.sort(keys);
        return Arrays.stream(keys).mapToInt(k -> (int) k).toArray();
    }

    /** Removes scores below the k-th highest; ties with it stay. */
    private static void sortedTop(float[] scores, int[] ascending, int k) {
        float least = scores[ascending[scores.length - k]];
        for (int id = 0; id < scores.length; id++) {
            if (scores[id] < least) {
                scores[id] = Float.NEGATIVE_INFINITY;
            }
        }
    }

    /** Removes the lowest scores while their probabilities sum to at most {@code 1 - topP}; the highest always stays. */
    private static void sortedNucleus(float[] scores, int[] ascending, double topP) {
        double[] probabilities = Sampler.softmax(scores);
        double sum = 0;
        for (int i = 0; i < ascending.length - 1; i++) {
            sum += probabilities[ascending[i]];
            if (sum > 1 - topP) {
                return;
            }
            scores[ascending[i]] = Float.NEGATIVE_INFINITY;
        }
    }
}
