package io.llava4j.fuzz;

import io.llava4j.checkpoint.Checkpoint;

/** Whatever bytes a GGUF file has: a clear refusal, or a model whose tensors and tokenizer can be read. */
public final class GgufFuzz {
    private static final FuzzFile FILE = new FuzzFile("fuzz.gguf");

    private GgufFuzz() {}

    public static void fuzzerTestOneInput(byte[] bytes) {
        FuzzTensors.readInFull(() -> Checkpoint.open(FILE.of(bytes)), checkpoint -> {
            checkpoint.tokenizer().ifPresent(tokenizer -> tokenizer.decode(tokenizer.encode("ab \n"), true));
            return checkpoint.tensors();
        });
    }
}
