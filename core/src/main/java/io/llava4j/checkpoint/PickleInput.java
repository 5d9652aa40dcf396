package io.llava4j.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** The bytes of a pickle from front to back: operations and what follows them. Each method fails at the end of the bytes. */
final class PickleInput {
    private final Path file;
    private final ByteBuffer code;

    /** @param file for messages */
    PickleInput(Path file, byte[] code) {
        this.file = file;
        this.code = ByteBuffer.wrap(code).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** An operation, or a number of one byte without sign. */
    int next() {
        need(1);
        return Byte.toUnsignedInt(code.get());
    }

    /** A number of two bytes without sign. */
    int nextShort() {
        need(Short.BYTES);
        return Short.toUnsignedInt(code.getShort());
    }

    int nextInt() {
        need(Integer.BYTES);
        return code.getInt();
    }

    /** The one number with its highest byte first. */
    double nextDouble() {
        need(Double.BYTES);
        return Double.longBitsToDouble(Long.reverseBytes(code.getLong()));
    }

    /** A number of so many bytes with a sign; 0 if it has none. */
    long nextLong(int bytes) {
        if (bytes > Long.BYTES) {
            throw TorchPickle.bad(file, "it holds a number of %d bytes".formatted(bytes));
        }
        long value = 0;
        for (int i = 0; i < bytes; i++) {
            value |= (long) next() << (8 * i);
        }
        int unused = Long.SIZE - 8 * bytes;
        return bytes == 0 ? 0 : value << unused >> unused;
    }

    /** Text with its length in bytes before it. */
    String nextText() {
        int bytes = nextInt();
        need(bytes);
        String text = new String(code.array(), code.position(), bytes, StandardCharsets.UTF_8);
        code.position(code.position() + bytes);
        return text;
    }

    /** Text up to the end of the line. */
    String nextLine() {
        int begin = code.position();
        while (next() != '\n') {
            // on to the end of the line
        }
        return new String(code.array(), begin, code.position() - 1 - begin, StandardCharsets.UTF_8);
    }

    private void need(int bytes) {
        if (bytes < 0 || bytes > code.remaining()) {
            throw TorchPickle.bad(file, "its pickle ends in the middle");
        }
    }
}
