package io.llava4j.checkpoint.torch;

import io.llava4j.CheckpointException;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.checkpoint.layout.WeightFile;
import io.llava4j.checkpoint.torch.TorchPickle.Storage;
import io.llava4j.checkpoint.torch.TorchPickle.View;
import io.llava4j.io.FileErrors;
import io.llava4j.tensor.format.DType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * A file of {@code torch.save}, memory-mapped: a zip archive ({@link StoredZip}) of a pickle ({@link TorchPickle}) and
 * the raw storages its tensors are views of (docs/reference/model.md#llava-layout). Tensors that lie row by row are views of the map; others
 * are copied into that order when the file is opened.
 */
public final class TorchBin implements WeightFile {
    /** Bytes that {@link #begins} needs. */
    public static final int MAGIC_BYTES = 4;

    private static final String PICKLE = "data.pkl";

    /** Limit on copies, besides the size of the file; more is no transposed weight but an attack on memory. */
    private static final long LARGEST_COPIES = 64L << 20;

    private final Path file;
    private final Arena arena;
    private final Map<String, MemorySegment> entries;
    private final String folder;
    private final SequencedMap<String, TensorEntry> tensors = new LinkedHashMap<>();
    private long copied;
    private final long mostCopied;

    private TorchBin(Path file, Arena arena, MemorySegment whole) {
        this.file = file;
        this.arena = arena;
        this.mostCopied = Math.max(LARGEST_COPIES, whole.byteSize());
        this.entries = StoredZip.entries(file, whole);
        this.folder = folder();
        requireLittleEndian();
        TorchPickle.tensors(file, pickle()).forEach((name, view) -> {
            if (name.isEmpty()) {
                throw bad(name, "a tensor needs a name");
            }
            tensors.put(name, new TensorEntry(name, view.storage().dtype(), view.shape(), data(name, view)));
        });
    }

    /** Whether a torch file begins with these bytes: those of a zip archive, or of the older format's pickle. */
    public static boolean begins(byte[] magic) {
        return isZip(magic) || isOld(magic);
    }

    private static boolean isZip(byte[] magic) {
        return magic.length == MAGIC_BYTES && magic[0] == 'P' && magic[1] == 'K' && magic[2] == 3 && magic[3] == 4;
    }

    private static boolean isOld(byte[] magic) {
        return magic.length == MAGIC_BYTES && magic[0] == (byte) 0x80 && magic[2] == (byte) 0x8a;
    }

    /**
     * Maps a file and reads its pickle.
     *
     * @param file to read
     * @return the open file; close it after the last use of its tensors
     * @throws CheckpointException naming file and tensor if something is wrong, or what the pickle contains besides
     *     tensors; it is never run
     */
    @SuppressWarnings("MustBeClosedChecker") // the arena lives as long as the result
    public static TorchBin open(Path file) {
        Arena arena = Arena.ofShared();
        boolean opened = false;
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            MemorySegment whole = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            byte[] magic =
                    whole.asSlice(0, Math.min(MAGIC_BYTES, whole.byteSize())).toArray(ValueLayout.JAVA_BYTE);
            if (isOld(magic)) {
                throw new CheckpointException(("%s is in the format torch wrote before version 1.6, which is not read;"
                                + " load and save it once with a newer torch")
                        .formatted(file));
            }
            if (!isZip(magic)) {
                throw new CheckpointException(
                        "%s is no torch file: it does not begin as a zip archive; fetch it again".formatted(file));
            }
            TorchBin bin = new TorchBin(file, arena, whole);
            opened = true;
            return bin;
        } catch (IOException e) {
            throw FileErrors.cannotRead(file, e);
        } finally {
            if (!opened) {
                arena.close();
            }
        }
    }

    /** The only top folder of the archive, which may have any name. */
    private String folder() {
        List<String> pickles = entries.keySet().stream()
                .filter(name -> name.endsWith("/" + PICKLE) && name.indexOf('/') == name.lastIndexOf('/'))
                .toList();
        if (pickles.size() != 1) {
            throw new CheckpointException("%s is a zip archive but no torch file: it holds %d entries */%s"
                    .formatted(file, pickles.size(), PICKLE));
        }
        return pickles.getFirst().substring(0, pickles.getFirst().length() - PICKLE.length());
    }

    private void requireLittleEndian() {
        @Nullable MemorySegment order = entries.get(folder + "byteorder");
        if (order != null
                && (order.byteSize() > 16
                        || !new String(order.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.US_ASCII)
                                .equals("little"))) {
            throw new CheckpointException(
                    "%s was written on a big-endian machine; save it on a little-endian one".formatted(file));
        }
    }

    private byte[] pickle() {
        MemorySegment pickle = entries.getOrDefault(folder + PICKLE, MemorySegment.NULL);
        if (pickle.byteSize() > TorchPickle.LARGEST) {
            throw new CheckpointException(
                    "%s: its %s has %d bytes, too many for names and shapes of tensors; do not trust it"
                            .formatted(file, PICKLE, pickle.byteSize()));
        }
        return pickle.toArray(ValueLayout.JAVA_BYTE);
    }

    private MemorySegment data(String name, View view) {
        Storage storage = view.storage();
        DType dtype = storage.dtype();
        MemorySegment numbers = entries.get(folder + "data/" + storage.key());
        if (numbers == null) {
            throw bad(name, "its storage data/%s is missing".formatted(FileErrors.shown(storage.key())));
        }
        if (storage.elements() > Long.MAX_VALUE / 8 || numbers.byteSize() != storage.elements() * dtype.bytes()) {
            throw bad(
                    name,
                    "its storage has %d bytes where %d numbers of %s are announced"
                            .formatted(numbers.byteSize(), storage.elements(), dtype));
        }
        long elements = elements(name, view);
        if (elements == 0) {
            return MemorySegment.NULL;
        }
        return isRowMajor(view)
                ? numbers.asSlice(view.offset() * dtype.bytes(), elements * dtype.bytes())
                : copy(name, view, numbers, elements);
    }

    /** Element count of a view, which must lie within its storage. */
    private long elements(String name, View view) {
        long elements = 1;
        long last = view.offset();
        try {
            for (int i = 0; i < view.shape().length; i++) {
                elements = Math.multiplyExact(elements, view.shape()[i]);
                last = Math.addExact(last, Math.multiplyExact(Math.max(0, view.shape()[i] - 1), view.strides()[i]));
            }
        } catch (ArithmeticException e) {
            throw bad(name, "its shape %s is beyond all memory".formatted(Arrays.toString(view.shape())));
        }
        if (view.offset() < 0 || (elements > 0 && last >= view.storage().elements())) {
            throw bad(
                    name,
                    "offset %d, shape %s and strides %s lead out of its storage of %d numbers"
                            .formatted(
                                    view.offset(),
                                    Arrays.toString(view.shape()),
                                    Arrays.toString(view.strides()),
                                    view.storage().elements()));
        }
        return elements;
    }

    private static boolean isRowMajor(View view) {
        long distance = 1;
        for (int i = view.shape().length - 1; i >= 0; i--) {
            if (view.shape()[i] != 1) {
                if (view.strides()[i] != distance) {
                    return false;
                }
                distance *= view.shape()[i];
            }
        }
        return true;
    }

    /** The elements in row-major order, such as those of a transposed matrix. */
    private MemorySegment copy(String name, View view, MemorySegment numbers, long elements) {
        int width = view.storage().dtype().bytes();
        if (elements > (mostCopied - copied) / width) {
            throw bad(
                    name,
                    "with shape %s and strides %s it is far larger than what is stored; save it with .contiguous()"
                            .formatted(Arrays.toString(view.shape()), Arrays.toString(view.strides())));
        }
        copied += elements * width;
        MemorySegment copy = arena.allocate(elements * width);
        long[] index = new long[view.shape().length];
        long from = view.offset();
        for (long to = 0; to < elements; to++) {
            MemorySegment.copy(numbers, from * width, copy, to * width, width);
            for (int i = index.length - 1; i >= 0; i--) {
                index[i]++;
                from += view.strides()[i];
                if (index[i] < view.shape()[i]) {
                    break;
                }
                from -= index[i] * view.strides()[i];
                index[i] = 0;
            }
        }
        return copy;
    }

    private CheckpointException bad(String tensor, String problem) {
        return new CheckpointException("%s: tensor '%s': %s".formatted(file, FileErrors.shown(tensor), problem));
    }

    @Override
    public Path file() {
        return file;
    }

    @Override
    public SequencedMap<String, TensorEntry> tensors() {
        return Collections.unmodifiableSequencedMap(tensors);
    }

    @Override
    public void close() {
        arena.close();
    }
}
