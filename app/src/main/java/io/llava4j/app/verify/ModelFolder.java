package io.llava4j.app.verify;

import io.llava4j.DataException;
import io.llava4j.LlavaException;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.tensor.format.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** A folder that holds one model's checkpoints in several layouts and precisions. */
final class ModelFolder {
    private ModelFolder() {}

    /** Folders in it that hold weights of any format, with their configuration. */
    static List<Path> checkpoints(Path folder) {
        return list(folder, ModelFolder::holdsWeights).toList();
    }

    static Optional<DType> precision(Path path) {
        try (Checkpoint checkpoint = Checkpoint.open(path)) {
            return checkpoint.kind() instanceof ModelKind.Llava && !checkpoint.isQuantised()
                    ? Optional.of(precision(checkpoint))
                    : Optional.empty();
        } catch (LlavaException e) {
            return Optional.empty(); // said when its turn comes
        }
    }

    /** The lowest precision of any tensor. */
    static DType precision(Checkpoint checkpoint) {
        return checkpoint.tensors().values().stream()
                .map(TensorEntry::dtype)
                .filter(DType::isFloating)
                .max(Comparator.naturalOrder())
                .orElse(DType.F32);
    }

    /**
     * Whether tensors of wider types hold only numbers of {@code precision}. GGUF files keep vectors in F32: in one made
     * from 16-bit weights these are 16-bit numbers, in one made from 32-bit weights they are not.
     */
    static boolean holdsOnly(Checkpoint checkpoint, DType precision) {
        return checkpoint.tensors().values().stream()
                .filter(tensor -> tensor.dtype().isFloating() && tensor.dtype() != precision)
                .allMatch(tensor -> areOf(precision, tensor.toFloats()));
    }

    private static boolean areOf(DType precision, float[] values) {
        for (float value : values) {
            float narrowed = switch (precision) {
                case BF16 -> Float.intBitsToFloat(Float.floatToRawIntBits(value) & 0xFFFF0000);
                case F16 -> Float.float16ToFloat(Float.floatToFloat16(value));
                default -> value;
            };
            if (Float.compare(narrowed, value) != 0) {
                return false;
            }
        }
        return true;
    }

    static boolean isSafeTensors(Path file) {
        return name(file).endsWith(".safetensors") && Files.isRegularFile(file);
    }

    static boolean holdsWeights(Path dir) {
        boolean configured = Files.isRegularFile(dir.resolve("config.json"));
        return list(
                        dir,
                        file -> name(file).endsWith(".gguf")
                                || configured
                                        && (isSafeTensors(file) || name(file).endsWith(".bin")))
                .findAny()
                .isPresent();
    }

    static Stream<Path> list(Path dir, Predicate<Path> wanted) {
        if (!Files.isDirectory(dir)) {
            return Stream.empty();
        }
        try (Stream<Path> children = Files.list(dir)) {
            return children.filter(wanted).sorted().toList().stream();
        } catch (IOException e) {
            throw new DataException("cannot read folder " + dir + ": " + e.getMessage(), e);
        }
    }

    static String name(Path path) {
        return String.valueOf(path.toAbsolutePath().normalize().getFileName());
    }
}
