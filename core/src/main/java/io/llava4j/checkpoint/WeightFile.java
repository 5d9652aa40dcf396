package io.llava4j.checkpoint;

import io.llava4j.CheckpointException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SequencedMap;

/** One file of stored tensors, memory-mapped. */
public sealed interface WeightFile extends AutoCloseable permits SafeTensors, TorchBin {
    /**
     * Opens a file in the format its first bytes tell.
     *
     * @throws CheckpointException naming file and tensor if anything is amiss
     */
    static WeightFile open(Path file) {
        return isTorch(file) ? TorchBin.open(file) : SafeTensors.open(file);
    }

    private static boolean isTorch(Path file) {
        if (!Files.isRegularFile(file)) {
            return false;
        }
        try (InputStream in = Files.newInputStream(file)) {
            return TorchBin.begins(in.readNBytes(TorchBin.MAGIC_BYTES));
        } catch (IOException e) {
            throw FileErrors.cannotRead(file, e);
        }
    }

    /** Tensors by the name in the file. */
    SequencedMap<String, TensorEntry> tensors();

    /** Unmaps the file; no tensor of it may be read afterwards. */
    @Override
    void close();
}
