package io.llava4j.fuzz;

import io.llava4j.CheckpointException;
import io.llava4j.checkpoint.SafeTensors;
import io.llava4j.checkpoint.TensorEntry;

/** Whatever bytes a safetensors file has: a clear refusal, or tensors that can be read in full. */
public final class SafeTensorsFuzz {
    private static final FuzzFile FILE = new FuzzFile("fuzz.safetensors");

    private SafeTensorsFuzz() {}

    public static void fuzzerTestOneInput(byte[] bytes) {
        try (SafeTensors file = SafeTensors.open(FILE.of(bytes))) {
            for (TensorEntry tensor : file.tensors().values()) {
                if (tensor.toBytes().length
                        != tensor.elements() * tensor.dtype().bytes()) {
                    throw new AssertionError(tensor);
                }
                if (tensor.dtype().isFloating()) {
                    tensor.toFloats();
                } else {
                    tensor.toLongs();
                }
            }
        } catch (CheckpointException refused) {
            FuzzFile.requireOneSentence(refused);
        }
    }
}
