package io.llava4j.generate;

import io.llava4j.LlavaException;
import io.llava4j.checkpoint.ModelMemory;
import io.llava4j.io.MachineMemory;
import java.nio.file.Path;
import java.util.Locale;

/** Refuses in one sentence what the machine's memory, or that of its container, cannot hold. */
final class MemoryCheck {
    /** Tokens of a short question about an image. */
    private static final int SHORT_SEQUENCE = 1024;

    private MemoryCheck() {}

    /**
     * Checks that a model can answer a short question.
     *
     * @throws LlavaException if it cannot
     */
    static void require(Path model, ModelMemory memory) {
        require(model, memory, MachineMemory.read());
    }

    static void require(Path model, ModelMemory memory, MachineMemory machine) {
        long needed = memory.total(1, SHORT_SEQUENCE);
        if (needed > machine.available()) {
            throw new LlavaException(String.format(
                    Locale.ROOT,
                    "%s needs about %.1f GB of memory, %.1f of them for its weights, but %.1f GB are available; write a"
                            + " smaller one with llava quantize --type q4_k_m, or free memory",
                    model,
                    needed / 1e9,
                    memory.weights() / 1e9,
                    machine.available() / 1e9));
        }
    }
}
