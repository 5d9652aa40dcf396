package io.llava4j.train.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModalityGroupedSamplerTest {
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void stepsHoldOneModalityExceptTheLast(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int[] lengths = IntStream.range(0, 1000)
                .map(i -> random.nextInt(1, 300) * (random.nextInt(8) == 0 ? -1 : 1))
                .toArray();
        int[] order = new ModalityGroupedSampler(lengths, 8, 4).order(seed, 0);

        assertThat(Arrays.stream(order).sorted())
                .containsExactly(IntStream.range(0, 1000).boxed().toArray(Integer[]::new));
        int tail = lastSteps(lengths, 32);
        for (int from = 0; from < 1000 - tail; from += 32) {
            int first = lengths[order[from]];
            assertThat(Arrays.stream(order, from, from + 32).allMatch(i -> lengths[i] > 0 == first > 0))
                    .as("step at %d", from)
                    .isTrue();
        }
    }

    @Test
    void orderDependsOnSeedAndEpochOnly() {
        int[] lengths =
                IntStream.range(0, 100).map(i -> i % 3 == 0 ? -i - 1 : i + 1).toArray();
        ModalityGroupedSampler sampler = new ModalityGroupedSampler(lengths, 4, 2);

        assertThat(sampler.order(7, 3)).isEqualTo(sampler.order(7, 3));
        assertThat(sampler.order(7, 3)).isNotEqualTo(sampler.order(7, 4)).isNotEqualTo(sampler.order(8, 3));
    }

    @Test
    void randomOrderIsAPermutationOfItsSeedAndEpoch() {
        RandomSampler sampler = new RandomSampler(500);

        assertThat(sampler.order(1, 0)).isEqualTo(sampler.order(1, 0)).isNotEqualTo(sampler.order(1, 1));
        assertThat(Arrays.stream(sampler.order(1, 0)).sorted().toArray())
                .isEqualTo(IntStream.range(0, 500).toArray());
    }

    @Test
    void zeroLengthIsRejected() {
        assertThatThrownBy(() -> new ModalityGroupedSampler(new int[] {1, 0}, 1, 1))
                .isInstanceOf(IllegalArgumentException.class);
    }

    /** Samples in the last step of each kind together. */
    private static int lastSteps(int[] lengths, int step) {
        int images = (int) Arrays.stream(lengths).filter(l -> l > 0).count();
        return (images - 1) % step + 1 + (lengths.length - images - 1) % step + 1;
    }
}
