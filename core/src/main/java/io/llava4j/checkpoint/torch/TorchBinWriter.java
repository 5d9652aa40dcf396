package io.llava4j.checkpoint.torch;

import io.llava4j.CheckpointException;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.io.AtomicFiles;
import io.llava4j.io.SegmentWriter;
import io.llava4j.tensor.format.DType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.Collection;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Writes tensors as {@code torch.save} writes a state dictionary, for tools that do not read safetensors. */
public final class TorchBinWriter {
    /** A fixed time stamp, so that the same tensors give the same bytes. */
    private static final LocalDateTime BEGINNING = LocalDateTime.of(1980, 1, 1, 0, 0);

    private TorchBinWriter() {}

    /**
     * Writes one file atomically.
     *
     * @throws CheckpointException if it cannot be written; then no file remains
     */
    public static void write(Path file, Collection<TensorSource> tensors) {
        List<TensorSource> ordered = List.copyOf(tensors);
        String name = String.valueOf(file.getFileName());
        String folder = (name.endsWith(".bin") ? name.substring(0, name.length() - ".bin".length()) : name) + "/";
        AtomicFiles.write(file, channel -> {
            ZipOutputStream zip = new ZipOutputStream(Channels.newOutputStream(channel));
            entry(zip, folder + "data.pkl", MemorySegment.ofArray(pickle(ordered)));
            entry(zip, folder + "byteorder", ascii("little"));
            for (int i = 0; i < ordered.size(); i++) {
                entry(zip, folder + "data/" + i, ordered.get(i).data().get());
            }
            entry(zip, folder + "version", ascii("3\n"));
            zip.finish();
        });
    }

    private static MemorySegment ascii(String text) {
        return MemorySegment.ofArray(text.getBytes(StandardCharsets.US_ASCII));
    }

    /** Uncompressed entries need size and checksum in advance. */
    private static void entry(ZipOutputStream zip, String name, MemorySegment data) throws IOException {
        CRC32 checksum = new CRC32();
        ZipEntry entry = new ZipEntry(name);
        entry.setMethod(ZipEntry.STORED);
        entry.setTimeLocal(BEGINNING);
        entry.setSize(data.byteSize());
        SegmentWriter.blocks(data, checksum::update);
        entry.setCrc(checksum.getValue());
        zip.putNextEntry(entry);
        SegmentWriter.blocks(data, block -> zip.write(block.array(), 0, block.limit()));
        zip.closeEntry();
    }

    private static byte[] pickle(List<TensorSource> tensors) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(new byte[] {(byte) 0x80, 2, '}', '('});
        for (int i = 0; i < tensors.size(); i++) {
            TensorSource tensor = tensors.get(i);
            long elements = tensor.byteSize() / tensor.dtype().bytes();
            text(out, tensor.name());
            global(out, "torch._utils", "_rebuild_tensor_v2");
            out.write("((".getBytes(StandardCharsets.US_ASCII));
            text(out, "storage");
            global(out, "torch", storage(tensor.dtype()));
            text(out, Integer.toString(i));
            text(out, "cpu");
            integer(out, elements);
            out.write(new byte[] {'t', 'Q', 'K', 0});
            integers(out, tensor.shape());
            integers(out, rowMajorStrides(tensor.shape()));
            out.write(0x89);
            global(out, "collections", "OrderedDict");
            out.write(")RtR".getBytes(StandardCharsets.US_ASCII));
        }
        out.write(new byte[] {'u', '.'});
        return out.toByteArray();
    }

    private static String storage(DType dtype) {
        return switch (dtype) {
            case F64 -> "DoubleStorage";
            case F32 -> "FloatStorage";
            case F16 -> "HalfStorage";
            case BF16 -> "BFloat16Storage";
            case I64 -> "LongStorage";
            case I32 -> "IntStorage";
            case I16 -> "ShortStorage";
            case I8 -> "CharStorage";
            case U8 -> "ByteStorage";
            case BOOL -> "BoolStorage";
        };
    }

    private static long[] rowMajorStrides(long[] shape) {
        long[] strides = new long[shape.length];
        long distance = 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            strides[i] = distance;
            distance *= Math.max(1, shape[i]);
        }
        return strides;
    }

    private static void integers(OutputStream out, long[] values) throws IOException {
        out.write('(');
        for (long value : values) {
            integer(out, value);
        }
        out.write('t');
    }

    private static void integer(OutputStream out, long value) throws IOException {
        if (value == (int) value) {
            out.write('J');
            out.write(little(Integer.BYTES).putInt((int) value).array());
        } else {
            out.write(new byte[] {(byte) 0x8a, Long.BYTES});
            out.write(little(Long.BYTES).putLong(value).array());
        }
    }

    private static void text(OutputStream out, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.write('X');
        out.write(little(Integer.BYTES).putInt(bytes.length).array());
        out.write(bytes);
    }

    private static void global(OutputStream out, String module, String name) throws IOException {
        out.write(("c" + module + "\n" + name + "\n").getBytes(StandardCharsets.US_ASCII));
    }

    private static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
