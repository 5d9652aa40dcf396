package io.llava4j.fuzz;

import io.llava4j.checkpoint.safetensors.SafeTensors;

/** Whatever bytes a safetensors file has: a clear refusal, or tensors that can be read in full. */
public final class SafeTensorsFuzz {
    private static final FuzzFile FILE = new FuzzFile("fuzz.safetensors");

    private SafeTensorsFuzz() {}

    public static void fuzzerTestOneInput(byte[] bytes) {
        FuzzTensors.readInFull(() -> SafeTensors.open(FILE.of(bytes)), SafeTensors::tensors);
    }
}
