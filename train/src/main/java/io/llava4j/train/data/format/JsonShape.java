package io.llava4j.train.data.format;

import io.llava4j.DataException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/** How a JSON file holds its records. */
sealed interface JsonShape {
    /** {@code [{…}, {…}]}. */
    record Elements() implements JsonShape {}

    /** One object a line. */
    record Lines() implements JsonShape {}

    /** One object after another, each over several lines. */
    record Objects() implements JsonShape {}

    /**
     * {@code {"data": [{…}, {…}]}}.
     *
     * @param key of the list
     */
    record Wrapped(String key) implements JsonShape {}

    /** {@code {"id of a record": {…}, …}}. */
    record ById() implements JsonShape {}

    /**
     * Recognises the shape; of a file that is not one single object, only the first object is read.
     *
     * @param file for messages
     * @param in at the start of the file
     * @throws DataException if the file is one object with several lists, none of which is known to hold the records
     */
    static JsonShape of(Path file, InputStream in) throws IOException {
        BufferedInputStream start = new BufferedInputStream(in, 1 << 16);
        if (!startsWithObject(start)) {
            return new Elements();
        }
        boolean nextLineIsObject = nextLineIsObject(start);
        List<String> names = new ArrayList<>();
        List<String> lists = new ArrayList<>();
        int objects = 0;
        boolean alone;
        boolean oneLine;
        try (JsonParser parser = JsonRows.JSON.createParser(start)) {
            parser.nextToken();
            int firstLine = parser.currentTokenLocation().getLineNr();
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                names.add(parser.currentName());
                JsonToken value = parser.nextToken();
                if (value == JsonToken.START_OBJECT) {
                    objects++;
                } else if (value == JsonToken.START_ARRAY && parser.nextToken() == JsonToken.START_OBJECT) {
                    lists.add(names.getLast());
                    parser.skipChildren();
                }
                skip(parser, value);
            }
            oneLine = parser.currentTokenLocation().getLineNr() == firstLine;
            alone = !(oneLine && nextLineIsObject) && isAtEnd(parser);
        } catch (JacksonException e) {
            return nextLineIsObject || isOneLine(e) ? new Lines() : new Objects();
        }
        boolean record = RowShapes.isKnown(names)
                || RowShapes.hasQuestion(names)
                || names.stream().anyMatch(RowImages::isImageKey);
        if (alone && !record && lists.size() == 1) {
            return new Wrapped(lists.getFirst());
        }
        if (alone && !names.isEmpty() && lists.size() > 1 && (!record || lists.contains("annotations"))) {
            throw new DataException(
                    "%s is one object with several lists (%s); write one list of records that have image and conversations"
                            .formatted(file, String.join(", ", lists)));
        }
        if (alone && !record && objects > 0 && objects == names.size()) {
            return new ById();
        }
        return oneLine ? new Lines() : new Objects();
    }

    private static boolean isAtEnd(JsonParser parser) {
        try {
            return parser.nextToken() == null;
        } catch (JacksonException e) {
            return false;
        }
    }

    /** Skips the rest of a value; of a list, after its first element. */
    private static void skip(JsonParser parser, JsonToken value) {
        if (value == JsonToken.START_OBJECT) {
            parser.skipChildren();
        } else if (value == JsonToken.START_ARRAY && parser.currentToken() != JsonToken.END_ARRAY) {
            for (int depth = parser.currentToken() == JsonToken.START_ARRAY ? 2 : 1; depth > 0; ) {
                JsonToken token = parser.nextToken();
                if (token == null) {
                    return;
                }
                depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
            }
        }
    }

    private static boolean isOneLine(JacksonException e) {
        return e.getLocation() != null && e.getLocation().getLineNr() <= 1;
    }

    /** Whether the first character after white space is an opening brace; the stream stays at its start. */
    private static boolean startsWithObject(BufferedInputStream in) throws IOException {
        in.mark(1 << 15);
        int c = in.read();
        while (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == 0xEF || c == 0xBB || c == 0xBF) {
            c = in.read();
        }
        in.reset();
        return c == '{';
    }

    /** Whether the first line is followed by one that begins with a brace, as in JSON lines; the stream stays at its start. */
    private static boolean nextLineIsObject(BufferedInputStream in) throws IOException {
        in.mark(JsonRows.MAX_RECORD_BYTES);
        boolean begun = false;
        int last = 0;
        int c = in.read();
        for (int i = 1; i < JsonRows.MAX_RECORD_BYTES && c >= 0; i++) {
            if (begun && last == '\n' && c != '\n' && c != '\r') {
                break;
            }
            begun |= c == '{';
            last = c;
            c = in.read();
        }
        in.reset();
        return begun && last == '\n' && c == '{';
    }
}
