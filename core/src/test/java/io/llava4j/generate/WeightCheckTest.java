package io.llava4j.generate;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.tensor.format.DType;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class WeightCheckTest {
    @Test
    void damagedWeightsAreNamed() {
        List<List<String>> reports = new ArrayList<>();
        WeightCheck.start(List.of(tensor("a", 1), tensor("b", Float.NaN), tensor("c", 1 / 0f)), reports::add)
                .close();
        assertThat(reports).containsExactly(List.of("b", "c"));
    }

    @Test
    void soundWeightsAreNotReported() {
        List<List<String>> reports = new ArrayList<>();
        WeightCheck.start(List.of(tensor("a", 1), tensor("b", -3e38f)), reports::add)
                .close();
        assertThat(reports).isEmpty();
    }

    private static TensorEntry tensor(String name, float last) {
        float[] values = {0, -1, last};
        return new TensorEntry(name, DType.F32, new long[] {3}, MemorySegment.ofArray(values));
    }
}
