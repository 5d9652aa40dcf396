package io.llava4j.app.cli;

import io.llava4j.CheckpointException;
import io.llava4j.app.inspect.ModelFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Names a model by its folder and the start of a fingerprint. */
final class ModelId {
    private static final int SHOWN = 8;

    private ModelId() {}

    /**
     * For example {@code model-1f00ab34}.
     *
     * @param parts the model's folder or GGUF file, and whatever is stored separately from it
     * @throws CheckpointException if it cannot be read
     */
    static String of(List<Path> parts) {
        Path directory = parts.getFirst();
        String fingerprint = ModelFiles.of(parts).fingerprint();
        try {
            return directory.toRealPath().getFileName() + "-" + fingerprint.substring(0, SHOWN);
        } catch (IOException e) {
            throw new CheckpointException("the model %s cannot be read".formatted(directory), e);
        }
    }
}
