package io.llava4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;

class TensorsTest {
    @Test
    void memoryIsReadWithoutACopy() {
        Engine.load();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1, 2, 3, 4, 5, 6);
            Engine.scope("test", () -> {
                Tensor tensor = Tensors.over(memory, torch.ScalarType.Float, 2, 3);
                assertThat(Tensors.toFloats(tensor)).containsExactly(1, 2, 3, 4, 5, 6);
                memory.setAtIndex(ValueLayout.JAVA_FLOAT, 4, 50);
                assertThat(Tensors.toFloats(tensor.select(0, 1))).containsExactly(4, 50, 6);
                return null;
            });
        }
    }
}
