package io.llava4j.fuzz;

import io.llava4j.checkpoint.torch.TorchBin;

/** Whatever bytes a torch file has: a clear refusal, or tensors that can be read in full. */
public final class TorchBinFuzz {
    private static final FuzzFile FILE = new FuzzFile("fuzz.bin");

    private TorchBinFuzz() {}

    public static void fuzzerTestOneInput(byte[] bytes) {
        FuzzTensors.readInFull(() -> TorchBin.open(FILE.of(bytes)), TorchBin::tensors);
    }
}
