package io.llava4j.train.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.ConfigException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Which records of several data sets an epoch has. */
class SetDrawTest {
    @Test
    void allOnceWithoutAKey() {
        assertThat(of(1, new int[] {4, 2}, set("a", null, null, null), set("b", null, null, null)))
                .containsExactly(new int[] {0, 1, 2, 3}, new int[] {0, 1});
    }

    @Test
    void aLimitDrawsWithoutReplacementBySeedAndName() {
        DataSet limited = set("a", null, 30, null);
        int[] drawn = of(1, new int[] {100}, limited).getFirst();
        assertThat(drawn).hasSize(30).doesNotHaveDuplicates().isSorted();
        assertThat(of(1, new int[] {100}, limited).getFirst()).isEqualTo(drawn);
        assertThat(of(2, new int[] {100}, limited).getFirst()).isNotEqualTo(drawn);
        assertThat(of(1, new int[] {100}, set("b", null, 30, null)).getFirst()).isNotEqualTo(drawn);
        assertThat(of(1, new int[] {30}, limited).getFirst())
                .isEqualTo(IntStream.range(0, 30).toArray());
    }

    /** Neighbours do not change what is drawn of a set. */
    @Test
    void aSetIsDrawnAlone() {
        DataSet limited = set("a", null, 5, null);
        assertThat(of(1, new int[] {50, 9}, limited, set("b", null, null, 0.5)).getFirst())
                .isEqualTo(of(1, new int[] {50}, limited).getFirst());
    }

    /** Over many seeds each record is drawn about equally often: 400 draws of 3 of 10 give 120 each. */
    @Test
    void everyRecordIsEquallyLikely() {
        int[] counts = new int[10];
        for (int seed = 0; seed < 400; seed++) {
            for (int record : of(seed, new int[] {10}, set("a", null, 3, null)).getFirst()) {
                counts[record]++;
            }
        }
        assertThat(Arrays.stream(counts).boxed())
                .allSatisfy(count -> assertThat(count).isBetween(80, 160));
    }

    @Test
    void repeatGivesWholePassesAndAPart() {
        int[] drawn = of(1, new int[] {10}, set("a", null, null, 2.5)).getFirst();
        assertThat(drawn).hasSize(25);
        for (int record = 0; record < 10; record++) {
            int number = record;
            assertThat(Arrays.stream(drawn).filter(r -> r == number).count()).isBetween(2L, 3L);
        }
        assertThat(Arrays.copyOfRange(drawn, 20, 25)).doesNotHaveDuplicates();
        assertThat(of(1, new int[] {10}, set("a", null, null, 0.3)).getFirst())
                .hasSize(3)
                .doesNotHaveDuplicates();
    }

    @Test
    void weightsShareTheRecordsOfTheWeightedSets() {
        List<int[]> drawn = of(
                1,
                new int[] {100, 20, 7, 9},
                set("a", 1.0, null, null),
                set("b", 2.0, null, null),
                set("c", null, null, null),
                set("d", null, 4, null));
        assertThat(drawn).extracting(part -> part.length).containsExactly(40, 80, 7, 4);
        List<int[]> thirds = of(
                1,
                new int[] {3, 3, 4},
                set("a", 1.0, null, null),
                set("b", 1.0, null, null),
                set("c", 1.0, null, null));
        assertThat(thirds.stream().mapToInt(part -> part.length).sum()).isEqualTo(10);
    }

    @Test
    void whatCannotBeDrawnIsRefused() {
        assertThatThrownBy(() -> of(1, new int[] {5}, set("a", null, 6, null)))
                .isInstanceOf(ConfigException.class)
                .hasMessage(
                        "data.sets: limit of a is 6, but a.json has only 5 usable records; lower it, or use repeat");
        assertThatThrownBy(() -> of(1, new int[] {5}, set("a", null, null, 0.05)))
                .hasMessageContaining("a would have no sample")
                .hasMessageContaining("raise its repeat");
        assertThatThrownBy(() -> of(1, new int[] {5, 5}, set("a", 1e-9, null, null), set("b", 1.0, null, null)))
                .hasMessageContaining("raise its weight");
        assertThatThrownBy(() -> of(1, new int[] {1 << 30}, set("a", null, null, 999.0)))
                .hasMessageContaining("more than 2^31 samples");
    }

    private static List<int[]> of(long seed, int[] sizes, DataSet... sets) {
        return SetDraw.of(List.of(sets), sizes, seed);
    }

    private static DataSet set(String name, @Nullable Double weight, @Nullable Integer limit, @Nullable Double repeat) {
        return new DataSet(name, Path.of(name + ".json"), null, weight, limit, repeat);
    }
}
