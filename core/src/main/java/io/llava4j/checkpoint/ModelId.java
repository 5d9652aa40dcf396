package io.llava4j.checkpoint;

import io.llava4j.CheckpointException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Names a model by its folder, the start of a fingerprint, and whatever else decides its answers. */
public final class ModelId {
    private static final int SHOWN = 8;

    private ModelId() {}

    /**
     * For example {@code model-1f00ab34} or {@code model-1f00ab34-llava_llama_2}.
     *
     * @param parts the model's folder or GGUF file, and whatever is stored separately from it
     * @param choices that decide its answers, such as the name of another template; empty ones were not made
     * @throws CheckpointException if it cannot be read
     */
    public static String of(List<Path> parts, String... choices) {
        Path directory = parts.getFirst();
        String fingerprint = ModelFiles.of(parts).fingerprint();
        StringBuilder id = new StringBuilder();
        try {
            id.append(directory.toRealPath().getFileName()).append('-').append(fingerprint, 0, SHOWN);
        } catch (IOException e) {
            throw new CheckpointException("the model %s cannot be read".formatted(directory), e);
        }
        for (String choice : choices) {
            if (!choice.isEmpty()) {
                id.append('-').append(choice);
            }
        }
        return id.toString();
    }
}
