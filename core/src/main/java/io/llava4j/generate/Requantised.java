package io.llava4j.generate;

import io.llava4j.CheckpointException;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.Converter.Precision;
import io.llava4j.checkpoint.GgufTypes;
import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.model.config.LlamaParameters;
import io.llava4j.tensor.format.BlockFormat;
import io.llava4j.tensor.format.TensorCast;
import java.lang.foreign.MemorySegment;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/** Tensors of a checkpoint of which one part is stored in other types, converted when they are read. */
final class Requantised {
    private Requantised() {}

    static Map<String, TensorEntry> languageModel(Checkpoint checkpoint, Precision precision) {
        return of(
                checkpoint,
                GgufTypes.of(precision),
                LlamaParameters.of(checkpoint.config().text()).shapes().keySet());
    }

    /** Vision tower and projector. */
    static Map<String, TensorEntry> imageEncoder(Checkpoint checkpoint, Precision precision) {
        return of(
                checkpoint,
                new GgufTypes(precision, precision, precision),
                checkpoint.tensors().keySet().stream()
                        .filter(CanonicalNames::isOfImages)
                        .toList());
    }

    private static Map<String, TensorEntry> of(Checkpoint checkpoint, GgufTypes types, Collection<String> names) {
        Map<String, TensorEntry> tensors = new LinkedHashMap<>(checkpoint.tensors());
        for (String name : names) {
            TensorEntry stored = Objects.requireNonNull(tensors.get(name));
            BlockFormat to = types.of(name, stored.shape(), checkpoint.config().text());
            TensorEntry.Content content = to.isQuantised()
                    ? new TensorEntry.Blocks(to, () -> convert(stored, to))
                    : new TensorEntry.Derived(() -> convert(stored, to));
            tensors.put(name, new TensorEntry(name, to.dtype(), stored.shape(), content));
        }
        return tensors;
    }

    private static MemorySegment convert(TensorEntry stored, BlockFormat to) {
        MemorySegment result = MemorySegment.ofArray(new byte[Math.toIntExact(to.bytes(stored.elements()))]);
        if (!TensorCast.cast(stored.storedFormat(), stored.storedData(), stored.elements(), to, result)) {
            throw new CheckpointException("tensor '%s' holds numbers that %s cannot hold".formatted(stored.name(), to));
        }
        return result;
    }
}
