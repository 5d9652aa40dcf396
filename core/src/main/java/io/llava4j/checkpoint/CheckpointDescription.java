package io.llava4j.checkpoint;

import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.io.KebabCase;
import java.util.Locale;
import java.util.stream.Collectors;

/** A checkpoint in one line. */
final class CheckpointDescription {
    private CheckpointDescription() {}

    static String of(Checkpoint checkpoint) {
        long parameters = checkpoint.tensors().values().stream()
                .mapToLong(TensorEntry::elements)
                .sum();
        long bytes = checkpoint.tensors().values().stream()
                .mapToLong(TensorEntry::storedBytes)
                .sum();
        return String.format(
                Locale.ROOT,
                "%s, layout %s: %,d parameters in %d tensors (%s), %.1f MB, %.2f bits per weight; %d tensors not needed",
                checkpoint.kind().label(),
                KebabCase.of(checkpoint.layout()),
                parameters,
                checkpoint.tensors().size(),
                checkpoint.tensors().values().stream()
                        .map(TensorEntry::storedType)
                        .distinct()
                        .sorted()
                        .collect(Collectors.joining(", ")),
                bytes / 1e6,
                8.0 * bytes / parameters,
                checkpoint.ignored().size());
    }
}
