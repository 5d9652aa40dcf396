package io.llava4j.fuzz;

import io.llava4j.LlavaException;
import io.llava4j.checkpoint.layout.TensorEntry;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;

/** What readers of tensors under fuzzing are asked for. */
final class FuzzTensors {
    private FuzzTensors() {}

    /** Opens a file and reads every number of it, in its own type and as the Java type of its kind. */
    static <F extends AutoCloseable> void readInFull(
            Supplier<F> open, Function<F, ? extends Map<String, TensorEntry>> tensors) {
        try (F file = open.get()) {
            tensors.apply(file).values().forEach(FuzzTensors::read);
        } catch (LlavaException refused) {
            FuzzFile.requireOneSentence(refused);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static void read(TensorEntry tensor) {
        if (tensor.toBytes().length != tensor.byteSize()) {
            throw new AssertionError(tensor);
        }
        if (tensor.dtype().isFloating()) {
            tensor.toFloats();
        } else {
            tensor.toLongs();
        }
    }
}
