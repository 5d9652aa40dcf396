package io.llava4j.eval.format;

import io.llava4j.DataException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.json.JsonReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Streams the records of JSON and JSON-lines files as Python's {@code json} module accepts them: NaN and Infinity are
 * numbers, the last of two equal keys wins, lines end at LF, CRLF or CR only. A byte order mark is skipped.
 */
public final class JsonFiles {
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private JsonFiles() {}

    /** What to do with a line that is not JSON. */
    public enum BrokenLines {
        /** Refuse the file, naming the line. */
        REFUSE,
        /** Leave the line out and count it, as the converters for uploads do. */
        SKIP
    }

    /**
     * Reads a JSON-lines file. Blank lines are passed over; where broken lines are left out and counted, they are such,
     * as for Python.
     *
     * @param file UTF-8
     * @param broken what happens to lines that do not parse
     * @param sink receives every record in order
     * @return how many lines were skipped
     * @throws DataException naming file and line
     */
    public static int lines(Path file, BrokenLines broken, Consumer<JsonRecord> sink) {
        int skipped = 0;
        int number = 0;
        try (BufferedReader reader = Files.newBufferedReader(file)) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                number++;
                String json = number == 1 ? withoutByteOrderMark(line) : line;
                if (PythonText.strip(json).isEmpty()) {
                    skipped += broken == BrokenLines.SKIP ? 1 : 0;
                    continue;
                }
                String where = file + " line " + number;
                JsonNode node;
                try {
                    node = MAPPER.readTree(json);
                } catch (JacksonException e) {
                    if (broken == BrokenLines.SKIP) {
                        skipped++;
                        continue;
                    }
                    throw new DataException(
                            "%s: not valid JSON (%s); mend or remove the line".formatted(where, e.getOriginalMessage()),
                            e);
                }
                sink.accept(new JsonRecord(node, where));
            }
        } catch (IOException e) {
            throw unreadable(file, number, e);
        }
        return skipped;
    }

    /**
     * Reads the arrays of a JSON document without holding it in memory.
     *
     * @param file UTF-8; an array of objects, or an object whose fields hold arrays of objects
     * @param field receives the field's name ("" for a top-level array) and a record of it; what is in a field but no
     *     object is passed over
     * @throws DataException naming file and place
     */
    public static void arrays(Path file, ArrayElements field) {
        parse(file, parser -> {
            JsonToken first = parser.nextToken();
            if (first == JsonToken.START_ARRAY) {
                elements(file, parser, "", field);
            } else if (first == JsonToken.START_OBJECT) {
                while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
                    String name = parser.currentName();
                    if (parser.nextToken() == JsonToken.START_ARRAY) {
                        elements(file, parser, name, field);
                    } else {
                        parser.skipChildren();
                    }
                }
            } else {
                throw new DataException(
                        file + ": expected a JSON object or array" + (first == null ? "; the file is empty" : ""));
            }
        });
    }

    /**
     * Reads the fields of a JSON object without holding it in memory.
     *
     * @param file UTF-8; an object whose fields hold objects
     * @param sink receives name and value of every field in order
     * @throws DataException naming file and place
     */
    public static void fields(Path file, BiConsumer<String, JsonRecord> sink) {
        parse(file, parser -> {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new DataException(file + ": expected a JSON object");
            }
            while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
                String name = parser.currentName();
                parser.nextToken();
                sink.accept(name, new JsonRecord(parser.readValueAsTree(), "%s, %s".formatted(file, name)));
            }
        });
    }

    /**
     * One string of a JSON object, without reading more of the file than needed.
     *
     * @throws DataException if there is no such field
     */
    public static String textField(Path file, String field) {
        String[] found = new String[1];
        parse(file, parser -> {
            if (parser.nextToken() == JsonToken.START_OBJECT) {
                while (found[0] == null && parser.nextToken() == JsonToken.PROPERTY_NAME) {
                    boolean wanted = parser.currentName().equals(field);
                    if (parser.nextToken() == JsonToken.VALUE_STRING && wanted) {
                        found[0] = parser.getString();
                    }
                    parser.skipChildren();
                }
            }
        });
        if (found[0] == null) {
            throw new DataException("%s: has no text '%s'".formatted(file, field));
        }
        return found[0];
    }

    /** The first line that is not blank; null where it is no JSON or there is none. */
    public static @Nullable JsonNode firstLine(Path file) {
        try (BufferedReader reader = Files.newBufferedReader(file)) {
            String line = withoutByteOrderMark(String.valueOf(reader.readLine()));
            while (line != null && PythonText.strip(line).isEmpty()) {
                line = reader.readLine();
            }
            return line == null ? null : MAPPER.readTree(line);
        } catch (JacksonException e) {
            return null;
        } catch (IOException e) {
            throw unreadable(file, 0, e);
        }
    }

    /**
     * A whole JSON document.
     *
     * @throws DataException also where something follows it
     */
    public static JsonNode tree(Path file) {
        JsonNode[] document = new JsonNode[1];
        parse(file, parser -> {
            document[0] = parser.nextToken() == null ? null : parser.readValueAsTree();
            if (parser.nextToken() != null) {
                throw new DataException("%s line %d: something follows the JSON document"
                        .formatted(file, parser.currentTokenLocation().getLineNr()));
            }
        });
        if (document[0] == null) {
            throw new DataException(file + ": the file is empty");
        }
        return document[0];
    }

    /** The first character of a file that is neither white space nor a byte order mark; 0 if there is none. */
    public static char firstCharacter(Path file) {
        try (BufferedReader reader = Files.newBufferedReader(file)) {
            int c = reader.read();
            while (c == 0xFEFF || (c >= 0 && PythonText.isSpace(c))) {
                c = reader.read();
            }
            return c < 0 ? 0 : (char) c;
        } catch (IOException e) {
            throw unreadable(file, 0, e);
        }
    }

    private static void parse(Path file, Consumer<JsonParser> reading) {
        try (BufferedReader reader = Files.newBufferedReader(file)) {
            reader.mark(1);
            if (reader.read() != 0xFEFF) {
                reader.reset();
            }
            try (JsonParser parser = MAPPER.createParser(reader)) {
                reading.accept(parser);
            }
        } catch (JacksonException e) {
            throw new DataException(
                    "%s line %d: not valid JSON (%s)"
                            .formatted(file, e.getLocation().getLineNr(), e.getOriginalMessage()),
                    e);
        } catch (IOException e) {
            throw unreadable(file, 0, e);
        }
    }

    /** Receives the records of {@link #arrays}. */
    @FunctionalInterface
    public interface ArrayElements {
        /**
         * Takes one record.
         *
         * @param field name of the array, "" at top level
         * @param element one of its records
         */
        void accept(String field, JsonRecord element);
    }

    private static void elements(Path file, JsonParser parser, String name, ArrayElements sink) {
        for (int index = 0; parser.nextToken() != JsonToken.END_ARRAY; index++) {
            JsonNode node = parser.readValueAsTree();
            if (!name.isEmpty() && !node.isObject()) {
                continue;
            }
            // Not formatted: that would take longer than reading the record.
            String where = file + ", " + (name.isEmpty() ? "record " : name) + "[" + index + "]";
            sink.accept(name, new JsonRecord(node, where));
        }
    }

    private static String withoutByteOrderMark(String line) {
        return line.startsWith("\uFEFF") ? line.substring(1) : line;
    }

    private static DataException unreadable(Path file, int line, IOException e) {
        if (e instanceof NoSuchFileException) {
            return new DataException(file + ": the file does not exist", e);
        }
        if (e instanceof CharacterCodingException) {
            return new DataException("%s after line %d: not valid UTF-8".formatted(file, line), e);
        }
        return new DataException("%s: cannot be read (%s)".formatted(file, e.getMessage()), e);
    }
}
