package io.llava4j.text;

import io.llava4j.CheckpointException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Cursor over one protobuf message, with what {@code tokenizer.model} needs. Every length comes from the file and is
 * checked against the remaining bytes before use.
 */
final class ProtobufReader {
    static final int VARINT = 0;
    static final int FIXED64 = 1;
    static final int LENGTH_DELIMITED = 2;
    static final int FIXED32 = 5;

    private final ByteBuffer bytes;
    private final String source;
    private int field;
    private int wireType;

    /**
     * @param bytes the message
     * @param source named in error messages
     */
    ProtobufReader(ByteBuffer bytes, String source) {
        this.bytes = bytes.slice().order(ByteOrder.LITTLE_ENDIAN);
        this.source = source;
    }

    /** Reads the next tag; {@code false} at the end of the message. */
    boolean next() {
        if (!bytes.hasRemaining()) {
            return false;
        }
        long tag = varint();
        field = (int) (tag >>> 3);
        wireType = (int) (tag & 7);
        if (tag >>> 32 != 0 || field == 0) {
            throw damaged("holds an impossible field number");
        }
        return true;
    }

    /** Number of the field whose tag was read last. */
    int field() {
        return field;
    }

    long readVarint() {
        expect(VARINT);
        return varint();
    }

    boolean readBool() {
        return readVarint() != 0;
    }

    float readFloat() {
        expect(FIXED32);
        need(Float.BYTES);
        return bytes.getFloat();
    }

    ProtobufReader readMessage() {
        return new ProtobufReader(readBytes(), source);
    }

    /** Reads text; malformed UTF-8 is refused. */
    String readString() {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(readBytes()).toString();
        } catch (CharacterCodingException e) {
            throw new CheckpointException(
                    source + " holds text that is not valid UTF-8; it is damaged, copy or download it again", e);
        }
    }

    ByteBuffer readBytes() {
        expect(LENGTH_DELIMITED);
        long length = varint();
        if (length < 0 || length > bytes.remaining()) {
            throw damaged("ends inside a field");
        }
        ByteBuffer slice = bytes.slice(bytes.position(), (int) length);
        bytes.position(bytes.position() + (int) length);
        return slice;
    }

    /** Skips the value of an unused field. */
    void skip() {
        switch (wireType) {
            case VARINT -> varint();
            case FIXED64 -> skip(Long.BYTES);
            case LENGTH_DELIMITED -> readBytes();
            case FIXED32 -> skip(Integer.BYTES);
            default -> throw damaged("holds a field of unknown kind " + wireType);
        }
    }

    private void skip(int count) {
        need(count);
        bytes.position(bytes.position() + count);
    }

    private long varint() {
        long value = 0;
        for (int shift = 0; shift < Long.SIZE; shift += 7) {
            need(1);
            byte b = bytes.get();
            value |= (long) (b & 0x7f) << shift;
            if (b >= 0) {
                return value;
            }
        }
        throw damaged("holds a number longer than 64 bits");
    }

    private void expect(int expected) {
        if (wireType != expected) {
            throw damaged("holds field %d as kind %d instead of %d".formatted(field, wireType, expected));
        }
    }

    private void need(int count) {
        if (bytes.remaining() < count) {
            throw damaged("ends inside a field");
        }
    }

    private CheckpointException damaged(String what) {
        return new CheckpointException(
                "%s %s; it is damaged or no SentencePiece model, copy or download it again".formatted(source, what));
    }
}
