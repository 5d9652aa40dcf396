package io.llava4j.checkpoint.gguf;

import io.llava4j.io.AtomicFiles;
import io.llava4j.io.SegmentWriter;
import io.llava4j.tensor.format.BlockFormat;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Supplier;

/** Writes GGUF files of version 3, tensor by tensor. */
public final class GgufWriter {
    /**
     * A tensor to be written.
     *
     * @param name in the file
     * @param type of the elements
     * @param shape sizes, outermost first
     * @param data gives the elements in that type; called once, when the tensor is written
     */
    public record Source(String name, BlockFormat type, long[] shape, Supplier<MemorySegment> data) {
        long bytes() {
            long elements = 1;
            for (long size : shape) {
                elements = Math.multiplyExact(elements, size);
            }
            return type.bytes(elements);
        }
    }

    private final ByteArrayOutputStream header = new ByteArrayOutputStream();

    private GgufWriter() {}

    /**
     * Writes a file atomically.
     *
     * @param metadata Integer (unsigned), Float, Boolean, String, {@code int[]}, {@code float[]} or a list of strings
     */
    public static void write(Path file, SequencedMap<String, Object> metadata, List<Source> tensors) {
        SegmentWriter.requireSpace(
                file, tensors.stream().mapToLong(Source::bytes).reduce(0, Math::addExact));
        byte[] header = new GgufWriter().header(metadata, tensors);
        AtomicFiles.write(file, channel -> {
            SegmentWriter out = new SegmentWriter(channel);
            out.write(header);
            for (Source tensor : tensors) {
                out.align(Gguf.DEFAULT_ALIGNMENT);
                MemorySegment data = tensor.data().get();
                if (data.byteSize() != tensor.bytes()) {
                    throw new IllegalStateException(tensor.name() + " has " + data.byteSize() + " bytes");
                }
                out.write(data);
            }
            out.align(Gguf.DEFAULT_ALIGNMENT);
        });
    }

    private byte[] header(SequencedMap<String, Object> metadata, List<Source> tensors) {
        header.writeBytes(Gguf.MAGIC);
        putInt(Gguf.VERSION);
        putLong(tensors.size());
        putLong(metadata.size());
        metadata.forEach((key, value) -> {
            putString(key);
            putValue(value);
        });
        long offset = 0;
        for (Source tensor : tensors) {
            putString(tensor.name());
            putInt(tensor.shape().length);
            for (int i = tensor.shape().length - 1; i >= 0; i--) {
                putLong(tensor.shape()[i]); // the innermost size comes first
            }
            putInt(tensor.type().id());
            putLong(offset);
            offset += Math.ceilDiv(tensor.bytes(), Gguf.DEFAULT_ALIGNMENT) * Gguf.DEFAULT_ALIGNMENT;
        }
        return header.toByteArray();
    }

    private void putValue(Object value) {
        switch (value) {
            case Integer number -> {
                putInt(4);
                putInt(number);
            }
            case Float number -> {
                putInt(6);
                putInt(Float.floatToRawIntBits(number));
            }
            case Boolean flag -> {
                putInt(7);
                header.write(flag ? 1 : 0);
            }
            case String text -> {
                putInt(8);
                putString(text);
            }
            case int[] numbers -> {
                putArray(5, numbers.length);
                for (int number : numbers) {
                    putInt(number);
                }
            }
            case float[] numbers -> {
                putArray(6, numbers.length);
                for (float number : numbers) {
                    putInt(Float.floatToRawIntBits(number));
                }
            }
            case List<?> texts -> {
                putArray(8, texts.size());
                texts.forEach(text -> putString((String) text));
            }
            default -> throw new IllegalArgumentException(value.getClass().getName());
        }
    }

    private void putArray(int type, int length) {
        putInt(9);
        putInt(type);
        putLong(length);
    }

    private void putString(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        putLong(bytes.length);
        header.writeBytes(bytes);
    }

    private void putInt(int value) {
        header.writeBytes(ByteBuffer.allocate(Integer.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(value)
                .array());
    }

    private void putLong(long value) {
        header.writeBytes(ByteBuffer.allocate(Long.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(value)
                .array());
    }
}
