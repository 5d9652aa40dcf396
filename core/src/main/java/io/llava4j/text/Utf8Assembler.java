package io.llava4j.text;

/** Assembles UTF-8 characters from single bytes; a byte that cannot belong to a character becomes U+FFFD. */
final class Utf8Assembler {
    private static final int INCOMPLETE = 0;
    private static final int INVALID = -1;

    /** At most three bytes wait for the fourth. */
    private final byte[] pending = new byte[4];

    private int count;

    /** Adds a byte and returns the characters that are now complete. */
    String accept(byte b) {
        pending[count++] = b;
        return take(false);
    }

    /** Returns all remaining bytes as text; an incomplete character is invalid. */
    String finish() {
        return take(true);
    }

    private String take(boolean last) {
        StringBuilder out = new StringBuilder();
        int at = 0;
        while (at < count) {
            int length = characterLength(at);
            if (length == INCOMPLETE && !last) {
                break;
            }
            if (length > 0) {
                out.appendCodePoint(codePoint(at, length));
                at += length;
            } else {
                out.append('\ufffd');
                at++;
            }
        }
        System.arraycopy(pending, at, pending, 0, count - at);
        count -= at;
        return out.toString();
    }

    /** Length of the character at {@code at} by the table of well-formed UTF-8 (Unicode 16, table 3-7). */
    private int characterLength(int at) {
        int lead = pending[at] & 0xff;
        if (lead < 0x80) {
            return 1;
        }
        if (lead < 0xc2 || lead > 0xf4) {
            return INVALID;
        }
        int length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        for (int i = 1; i < length; i++) {
            if (at + i == count) {
                return INCOMPLETE;
            }
            int low = i > 1 ? 0x80 : lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
            int high = i > 1 ? 0xbf : lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
            int next = pending[at + i] & 0xff;
            if (next < low || next > high) {
                return INVALID;
            }
        }
        return length;
    }

    private int codePoint(int at, int length) {
        int value = length == 1 ? pending[at] : pending[at] & (0xff >> (length + 1));
        for (int i = 1; i < length; i++) {
            value = value << 6 | (pending[at + i] & 0x3f);
        }
        return value;
    }
}
