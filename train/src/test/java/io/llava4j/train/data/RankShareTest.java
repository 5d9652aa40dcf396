package io.llava4j.train.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RankShareTest {
    @ParameterizedTest
    @CsvSource({"1,1", "2,1", "2,3", "3,2", "4,2", "8,1", "7,5"})
    void noSampleIsLostOrReadTwice(int processes, int accumulation) {
        for (int samples : new int[] {1, 2, 41, 100, 112}) {
            int[] order = IntStream.range(0, samples).map(i -> samples - 1 - i).toArray();
            List<Integer> all = new ArrayList<>();
            for (int rank = 0; rank < processes; rank++) {
                int[] own = new RankShare(rank, processes, 2, accumulation).of(order);
                all.addAll(Arrays.stream(own).boxed().toList());
            }

            assertThat(all)
                    .containsExactlyInAnyOrderElementsOf(
                            IntStream.range(0, samples).boxed().toList());
        }
    }

    /** As one process whose accumulation is that many times larger. */
    @ParameterizedTest
    @CsvSource({"2,1", "2,3", "3,2", "4,2"})
    void aStepHasTheSamplesOfOneProcess(int processes, int accumulation) {
        int samples = 41;
        int[] order = IntStream.range(100, 100 + samples).toArray();
        RankShare one = new RankShare(0, 1, 2, accumulation * processes);
        int[] whole = one.of(order);
        for (int rank = 0; rank < processes; rank++) {
            RankShare share = new RankShare(rank, processes, 2, accumulation);
            int[] own = share.of(order);
            assertThat(share.steps(samples)).isEqualTo(one.steps(samples));
            for (int i = 0; i < share.steps(samples) * accumulation; i++) {
                int step = i / accumulation;
                int micro = i % accumulation;
                boolean has = one.has(step, micro * processes + rank, samples);
                assertThat(share.has(step, micro, samples)).isEqualTo(has);
                if (has) {
                    int at = share.position(step, micro);
                    int wanted = one.position(step, micro * processes + rank);
                    assertThat(Arrays.copyOfRange(own, at, Math.min(own.length, at + 2)))
                            .isEqualTo(Arrays.copyOfRange(whole, wanted, Math.min(samples, wanted + 2)));
                }
            }
        }
    }
}
