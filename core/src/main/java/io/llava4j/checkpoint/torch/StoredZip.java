package io.llava4j.checkpoint.torch;

import io.llava4j.CheckpointException;
import io.llava4j.io.FileErrors;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * The entries of a memory-mapped zip archive, as views of it. Entries must be uncompressed, as torch writes them: then
 * there is no zip bomb, and tensors need no copy. Archives beyond 4 GB (zip64) are read. Entries that overlap, exceed the
 * archive or have path-like names are refused.
 */
final class StoredZip {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final int END = 0x06054b50;
    private static final int END_BYTES = 22;
    private static final int END64_LOCATOR = 0x07064b50;
    private static final int END64_LOCATOR_BYTES = 20;
    private static final int END64 = 0x06064b50;
    private static final int END64_BYTES = 56;
    private static final int CENTRAL = 0x02014b50;
    private static final int CENTRAL_BYTES = 46;
    private static final int LOCAL = 0x04034b50;
    private static final int LOCAL_BYTES = 30;
    private static final int LONGEST_COMMENT = 0xFFFF;
    private static final int EXTRA_ZIP64 = 1;
    private static final long IN_ZIP64 = 0xFFFFFFFFL;

    private final Path file;
    private final MemorySegment whole;

    private StoredZip(Path file, MemorySegment whole) {
        this.file = file;
        this.whole = whole;
    }

    /** The central directory: offset and size in bytes. */
    private record Directory(long begin, long bytes, long entries) {}

    private record Entry(String name, long header, long bytes) {}

    /** Byte range of an entry with its header. */
    private record Extent(String name, long begin, long end) {}

    /**
     * Reads the directory of an archive.
     *
     * @param file for messages
     * @param whole the mapped file
     * @return content by name, in the order of the directory
     * @throws CheckpointException naming the entry that cannot be used
     */
    static SequencedMap<String, MemorySegment> entries(Path file, MemorySegment whole) {
        return new StoredZip(file, whole).entries();
    }

    private SequencedMap<String, MemorySegment> entries() {
        Directory directory = directory();
        SequencedMap<String, MemorySegment> contents = new LinkedHashMap<>();
        List<Extent> extents = new ArrayList<>();
        long at = directory.begin();
        long end = at + directory.bytes();
        for (long i = 0; i < directory.entries(); i++) {
            require(end - at >= CENTRAL_BYTES && whole.get(INT, at) == CENTRAL, "its directory is damaged");
            long length = CENTRAL_BYTES + unsigned(at + 28, 2) + unsigned(at + 30, 2) + unsigned(at + 32, 2);
            require(end - at >= length, "its directory is damaged");
            Entry entry = entry(at);
            long data = dataOf(entry, directory.begin());
            extents.add(new Extent(entry.name(), entry.header(), data + entry.bytes()));
            if (contents.put(entry.name(), whole.asSlice(data, entry.bytes())) != null) {
                throw bad("entry '%s' is there twice".formatted(FileErrors.shown(entry.name())));
            }
            at += length;
        }
        requireApart(extents);
        return contents;
    }

    private Directory directory() {
        long size = whole.byteSize();
        for (long at = size - END_BYTES; at >= 0 && at >= size - END_BYTES - LONGEST_COMMENT; at--) {
            if (whole.get(INT, at) == END && at + END_BYTES + unsigned(at + 20, 2) == size) {
                Directory directory = new Directory(unsigned(at + 16, 4), unsigned(at + 12, 4), unsigned(at + 10, 2));
                if (at >= END64_LOCATOR_BYTES && whole.get(INT, at - END64_LOCATOR_BYTES) == END64_LOCATOR) {
                    directory = directory64(whole.get(LONG, at - END64_LOCATOR_BYTES + 8), at);
                }
                require(
                        within(directory.begin(), directory.bytes(), at)
                                && directory.entries() >= 0
                                && directory.entries() <= directory.bytes() / CENTRAL_BYTES,
                        "its directory does not lie within it");
                return directory;
            }
        }
        throw bad("the end of the archive is missing, so it is truncated; fetch it again");
    }

    private Directory directory64(long at, long limit) {
        require(within(at, END64_BYTES, limit) && whole.get(INT, at) == END64, "its zip64 directory is damaged");
        return new Directory(whole.get(LONG, at + 48), whole.get(LONG, at + 40), whole.get(LONG, at + 32));
    }

    private Entry entry(long at) {
        int flags = (int) unsigned(at + 8, 2);
        int method = (int) unsigned(at + 10, 2);
        long packed = unsigned(at + 20, 4);
        long bytes = unsigned(at + 24, 4);
        int nameBytes = (int) unsigned(at + 28, 2);
        long header = unsigned(at + 42, 4);
        String name = text(at + CENTRAL_BYTES, nameBytes);
        long extra = at + CENTRAL_BYTES + nameBytes;
        long extraEnd = extra + unsigned(at + 30, 2);
        if (packed == IN_ZIP64 || bytes == IN_ZIP64 || header == IN_ZIP64) {
            long field = zip64(extra, extraEnd, name);
            long fieldEnd = field + unsigned(field - 2, 2);
            if (bytes == IN_ZIP64) {
                bytes = wide(field, fieldEnd, name);
                field += Long.BYTES;
            }
            if (packed == IN_ZIP64) {
                packed = wide(field, fieldEnd, name);
                field += Long.BYTES;
            }
            if (header == IN_ZIP64) {
                header = wide(field, fieldEnd, name);
            }
        }
        String shown = FileErrors.shown(name);
        require((flags & 1) == 0, "entry '%s' is encrypted".formatted(shown));
        require(
                method == 0 && packed == bytes,
                "entry '%s' is compressed, which torch never does; save the tensors again with torch.save"
                        .formatted(shown));
        boolean plain = !name.isEmpty() && name.chars().allMatch(c -> c >= ' ' && c < 127 && c != '\\' && c != ':');
        for (String part : name.split("/", -1)) {
            plain &= !part.isEmpty() && !part.equals(".") && !part.equals("..");
        }
        require(plain, "entry '%s' is not named as torch names entries".formatted(shown));
        return new Entry(name, header, bytes);
    }

    /** Offset of the zip64 field among the extra fields of an entry. */
    private long zip64(long from, long end, String name) {
        long at = from;
        while (end - at >= 4) {
            long length = unsigned(at + 2, 2);
            if (unsigned(at, 2) == EXTRA_ZIP64 && length <= end - at - 4) {
                return at + 4;
            }
            at += 4 + length;
        }
        throw bad("entry '%s' has no zip64 sizes".formatted(FileErrors.shown(name)));
    }

    private long wide(long at, long end, String name) {
        require(end - at >= Long.BYTES, "entry '%s' has no zip64 sizes".formatted(FileErrors.shown(name)));
        return whole.get(LONG, at);
    }

    /** Offset of the content of an entry, whose own header must agree with the directory. */
    private long dataOf(Entry entry, long limit) {
        String shown = FileErrors.shown(entry.name());
        require(
                within(entry.header(), LOCAL_BYTES, limit) && whole.get(INT, entry.header()) == LOCAL,
                "entry '%s' does not lie within it".formatted(shown));
        long nameBytes = unsigned(entry.header() + 26, 2);
        long data = entry.header() + LOCAL_BYTES + nameBytes + unsigned(entry.header() + 28, 2);
        require(within(data, entry.bytes(), limit), "entry '%s' does not lie within it".formatted(shown));
        require(
                text(entry.header() + LOCAL_BYTES, (int) nameBytes).equals(entry.name()),
                "entry '%s' has another name in its own header".formatted(shown));
        return data;
    }

    private void requireApart(List<Extent> extents) {
        extents.sort(Comparator.comparingLong(Extent::begin));
        long covered = 0;
        for (Extent extent : extents) {
            require(
                    extent.begin() >= covered,
                    "entry '%s' overlaps another one".formatted(FileErrors.shown(extent.name())));
            covered = extent.end();
        }
    }

    private static boolean within(long begin, long bytes, long limit) {
        return begin >= 0 && bytes >= 0 && begin <= limit && bytes <= limit - begin;
    }

    private long unsigned(long at, int bytes) {
        return bytes == 2 ? Short.toUnsignedLong(whole.get(SHORT, at)) : Integer.toUnsignedLong(whole.get(INT, at));
    }

    private String text(long at, int bytes) {
        return new String(whole.asSlice(at, bytes).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
    }

    private void require(boolean holds, String problem) {
        if (!holds) {
            throw bad(problem);
        }
    }

    private CheckpointException bad(String problem) {
        return new CheckpointException("%s is not a valid torch archive: %s".formatted(file, problem));
    }
}
