package io.llava4j.checkpoint.gguf;

import io.llava4j.CheckpointException;
import io.llava4j.io.FileErrors;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Reads a GGUF header from front to back. Every count and length is checked against the remaining bytes before use. */
final class GgufCursor {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final int ARRAY = 9;

    /** A chat template has a few thousand bytes, a token a few. */
    private static final int LONGEST_STRING = 1 << 24;

    /** Vocabularies have up to 300,000 entries and twice as many merges. */
    private static final int LONGEST_ARRAY = 1 << 22;

    private final Path file;
    private final MemorySegment bytes;
    private long at;

    GgufCursor(Path file, MemorySegment bytes) {
        this.file = file;
        this.bytes = bytes;
    }

    /** Bytes read so far. */
    long position() {
        return at;
    }

    int readInt() {
        need(Integer.BYTES);
        int value = bytes.get(INT, at);
        at += Integer.BYTES;
        return value;
    }

    long readLong() {
        need(Long.BYTES);
        long value = bytes.get(LONG, at);
        at += Long.BYTES;
        return value;
    }

    /**
     * Reads a count.
     *
     * @param what is counted, for the message
     * @param minBytes minimum size of each in bytes
     * @param max plausible maximum
     */
    int readCount(String what, int minBytes, int max) {
        long count = readLong();
        if (count < 0 || count > max || count > (bytes.byteSize() - at) / minBytes) {
            throw damaged("it claims to hold %s %s".formatted(Long.toUnsignedString(count), what));
        }
        return (int) count;
    }

    String readString() {
        int length = readCount("bytes of text in one string", 1, LONGEST_STRING);
        byte[] text = bytes.asSlice(at, length).toArray(ValueLayout.JAVA_BYTE);
        at += length;
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(java.nio.ByteBuffer.wrap(text))
                    .toString();
        } catch (CharacterCodingException e) {
            throw damaged("it holds text that is not UTF-8");
        }
    }

    /** A metadata value with its type before it; see {@link GgufMetadata} for the Java types. */
    Object readValue(String key) {
        int type = readInt();
        return type == ARRAY ? readArray(key) : readScalar(key, type);
    }

    private List<Object> readArray(String key) {
        int type = readInt();
        if (type == ARRAY) {
            throw damaged("key '%s' is a list of lists".formatted(FileErrors.shown(key)));
        }
        int count = readCount("values in '%s'".formatted(FileErrors.shown(key)), 1, LONGEST_ARRAY);
        List<Object> values = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            values.add(readScalar(key, type));
        }
        return values;
    }

    private Object readScalar(String key, int type) {
        return switch (type) {
            case 0 -> Byte.toUnsignedLong(readByte());
            case 1 -> (long) readByte();
            case 2 -> Short.toUnsignedLong(readShort());
            case 3 -> (long) readShort();
            case 4 -> Integer.toUnsignedLong(readInt());
            case 5 -> (long) readInt();
            // Through the shortest decimal, so that a 32-bit 1e-5 becomes a 64-bit 1e-5.
            case 6 -> Double.valueOf(Float.toString(Float.intBitsToFloat(readInt())));
            case 7 -> readFlag(key);
            case 8 -> readString();
            case 10 -> {
                long value = readLong();
                if (value < 0) {
                    throw damaged("key '%s' is larger than any count".formatted(FileErrors.shown(key)));
                }
                yield value;
            }
            case 11 -> readLong();
            case 12 -> Double.longBitsToDouble(readLong());
            default -> throw damaged("key '%s' is of the unknown type %d".formatted(FileErrors.shown(key), type));
        };
    }

    private boolean readFlag(String key) {
        byte value = readByte();
        if (value != 0 && value != 1) {
            throw damaged("key '%s' is neither true nor false".formatted(FileErrors.shown(key)));
        }
        return value == 1;
    }

    private byte readByte() {
        need(1);
        return bytes.get(ValueLayout.JAVA_BYTE, at++);
    }

    private short readShort() {
        need(Short.BYTES);
        short value = bytes.get(SHORT, at);
        at += Short.BYTES;
        return value;
    }

    private void need(int count) {
        if (bytes.byteSize() - at < count) {
            throw damaged("it ends inside its header");
        }
    }

    CheckpointException damaged(String what) {
        return new CheckpointException(
                "%s is no usable GGUF file: %s; it is damaged or truncated, fetch it again".formatted(file, what));
    }
}
