package io.llava4j.checkpoint.layout;

import java.nio.file.Path;
import java.util.SequencedMap;

/** One memory-mapped file of tensors. */
public interface WeightFile extends AutoCloseable {
    /** The path that was opened. */
    Path file();

    /** Tensors by the name in the file. */
    SequencedMap<String, TensorEntry> tensors();

    /** Unmaps the file; no tensor of it may be read afterwards. */
    @Override
    void close();
}
