package io.llava4j.checkpoint.torch;

import io.llava4j.DataException;
import io.llava4j.io.FileErrors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;

/**
 * Reads a Python pickle of plain data, such as RefCOCO's {@code refs(unc).p}: dictionaries, lists, tuples, strings,
 * numbers, booleans and None, in protocols 0 to 4. A pickle with anything else, such as code, is refused and never run.
 */
public final class PlainPickle extends PickleMachine {
    /** In bytes; RefCOCO's largest pickle has about fifty million. */
    private static final long LARGEST = 1L << 30;

    private static final int NEWEST_PROTOCOL = 4;

    private final Path file;

    private PlainPickle(Path file, byte[] code) {
        super(code);
        this.file = file;
    }

    /**
     * Reads a file.
     *
     * @return the object in it: {@link java.util.Map} with string keys, {@link List}, String, Long, Double, Boolean, or
     *     an object that stands for None. A hostile file may hold a list that contains itself
     * @throws DataException if it is missing, damaged, or holds more than plain data
     */
    public static Object read(Path file) {
        try {
            long size = Files.size(file);
            if (size > LARGEST) {
                throw new DataException("%s has %d bytes, more than a pickle of annotations can have; check the file"
                        .formatted(file, size));
            }
            return new PlainPickle(file, Files.readAllBytes(file)).run();
        } catch (NoSuchFileException e) {
            throw new DataException(file + " does not exist; fetch it or correct the path", e);
        } catch (IOException e) {
            throw new DataException("%s cannot be read: %s".formatted(file, e.getMessage()), e);
        }
    }

    @Override
    boolean more(int operation) {
        switch (operation) {
            case 'l' -> push(new ArrayList<>(popToMark()));
            case 'd' -> {
                List<Object> items = popToMark();
                push(new LinkedHashMap<String, Object>());
                setItems(items);
            }
            case '0' -> pop();
            case 'S' -> push(quoted(lineBytes()));
            case 'U' -> push(bytes(next()));
            case 'T' -> push(bytes(number(Integer.BYTES).getInt()));
            case 'V' -> push(unescaped(lineBytes()));
            case 'I' -> push(integer(line()));
            case 'L' -> push(integer(withoutL(line())));
            case 'F' -> push(fraction(line()));
            case 'p' -> remember(place(line()));
            case 'g' -> push(remembered(place(line())));
            case 0x8c -> push(text(next()));
            case 0x94 -> remember(rememberedCount());
            case 0x95 -> number(Long.BYTES); // the length of a frame, which nothing depends on
            default -> {
                return false;
            }
        }
        return true;
    }

    @Override
    void protocol(int version) {
        if (version > NEWEST_PROTOCOL) {
            throw bad("it is pickled with protocol %d; save it again with protocol 2".formatted(version));
        }
    }

    @Override
    Object global(String module, String name) {
        throw refused("GLOBAL for '%s'".formatted(FileErrors.shown(module + "." + name)));
    }

    @Override
    Object call(Object function, List<?> arguments) {
        throw refused("REDUCE");
    }

    @Override
    Object persistent(Object id) {
        throw refused("BINPERSID");
    }

    @Override
    DataException refused(String operation) {
        return new DataException(
                ("%s uses the pickle operation %s, which no plain data needs, so it is refused and nothing of it was"
                                + " run; export it as JSON")
                        .formatted(file, operation));
    }

    @Override
    DataException bad(String problem) {
        return new DataException(
                "%s is no pickle of plain data: %s; fetch it again or export it as JSON".formatted(file, problem));
    }

    /** A number; the lines {@code 00} and {@code 01} are truth values. */
    private Object integer(String line) {
        try {
            return switch (line) {
                case "00" -> false;
                case "01" -> true;
                default -> Long.valueOf(line);
            };
        } catch (NumberFormatException e) {
            throw bad("'%s' is no whole number of 64 bits".formatted(FileErrors.shown(line)));
        }
    }

    private static String withoutL(String line) {
        return line.endsWith("L") ? line.substring(0, line.length() - 1) : line;
    }

    private double fraction(String line) {
        try {
            return Double.parseDouble(line);
        } catch (NumberFormatException e) {
            throw bad("'%s' is no number".formatted(FileErrors.shown(line)));
        }
    }

    private int place(String line) {
        try {
            return Integer.parseInt(line);
        } catch (NumberFormatException e) {
            throw bad("'%s' is no place of an object".formatted(FileErrors.shown(line)));
        }
    }

    /** Python 2's byte strings hold text as it came: UTF-8, or else Latin-1. */
    private String bytes(int length) {
        if (length < 0) {
            throw bad("its pickle ends in the middle");
        }
        byte[] bytes = new byte[length];
        ByteBuffer part = number(length);
        part.get(bytes);
        return decoded(bytes);
    }

    private static String decoded(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            return new String(bytes, StandardCharsets.ISO_8859_1);
        }
    }

    /** A string as Python prints it, with its quotes and escapes. */
    private String quoted(byte[] raw) {
        int last = raw.length - 1;
        if (last < 1 || (raw[0] != '\'' && raw[0] != '"') || raw[last] != raw[0]) {
            throw bad("a string has no quotes");
        }
        ByteBuffer out = ByteBuffer.allocate(raw.length);
        for (int i = 1; i < last; i++) {
            if (raw[i] != '\\' || i + 1 == last) {
                out.put(raw[i]);
                continue;
            }
            i++;
            switch (raw[i]) {
                case 'n' -> out.put((byte) '\n');
                case 'r' -> out.put((byte) '\r');
                case 't' -> out.put((byte) '\t');
                case '\\', '\'', '"' -> out.put(raw[i]);
                case 'x' -> {
                    out.put((byte) hexadecimal(raw, i + 1, 2));
                    i += 2;
                }
                default -> out.put((byte) '\\').put(raw[i]);
            }
        }
        byte[] bytes = new byte[out.flip().remaining()];
        out.get(bytes);
        return decoded(bytes);
    }

    /** Python's raw-unicode-escape: Latin-1, and other characters as four or eight hexadecimal digits. */
    private String unescaped(byte[] raw) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < raw.length; i++) {
            int digits = raw[i] != '\\' || i + 1 == raw.length ? 0 : raw[i + 1] == 'u' ? 4 : raw[i + 1] == 'U' ? 8 : 0;
            if (digits == 0) {
                text.append((char) Byte.toUnsignedInt(raw[i]));
                continue;
            }
            int character = hexadecimal(raw, i + 2, digits);
            if (!Character.isValidCodePoint(character)) {
                throw bad("an escape stands for no character");
            }
            text.appendCodePoint(character);
            i += 1 + digits;
        }
        return text.toString();
    }

    private int hexadecimal(byte[] raw, int from, int digits) {
        int value = 0;
        for (int i = from; i < from + digits; i++) {
            int digit = i < raw.length ? Character.digit(raw[i], 16) : -1;
            if (digit < 0) {
                throw bad("a string has an escape that is none");
            }
            value = value << 4 | digit;
        }
        return value;
    }
}
