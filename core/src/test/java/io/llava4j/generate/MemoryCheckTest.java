package io.llava4j.generate;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.LlavaException;
import io.llava4j.checkpoint.ModelMemory;
import io.llava4j.io.MachineMemory;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class MemoryCheckTest {
    private static final long GIGA = 1_000_000_000;
    private static final Path MODEL = Path.of("llava-7b");
    private static final ModelMemory MEMORY =
            new ModelMemory(GIGA, 0, 12 * GIGA, GIGA / 2, GIGA / 2, GIGA / 2048, GIGA / 2, GIGA / 4, GIGA / 2);

    @Test
    void aModelThatDoesNotFitIsRefusedWithTheWayOut() {
        assertThatThrownBy(() -> MemoryCheck.require(MODEL, MEMORY, new MachineMemory(16 * GIGA, 10 * GIGA)))
                .isInstanceOf(LlavaException.class)
                .hasMessage("llava-7b needs about 15.5 GB of memory, 14.0 of them for its weights, but 10.0 GB are"
                        + " available; write a smaller one with llava quantize --type q4_k_m, or free memory");
        assertThatCode(() -> MemoryCheck.require(MODEL, MEMORY, new MachineMemory(32 * GIGA, 16 * GIGA)))
                .doesNotThrowAnyException();
    }
}
