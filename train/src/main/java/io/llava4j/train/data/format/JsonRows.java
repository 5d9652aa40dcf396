package io.llava4j.train.data.format;

import io.llava4j.DataException;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.json.JsonReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectReader;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** JSON in one of the forms of {@link JsonShape}, read record by record. */
final class JsonRows implements RowSource {
    /** Longest line and longest text in bytes: far longer than any conversation, and far from filling the memory. */
    static final int MAX_RECORD_BYTES = 1 << 24;

    static final JsonMapper JSON = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxStringLength(MAX_RECORD_BYTES)
                            .build())
                    .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
                    .enable(JsonReadFeature.ALLOW_TRAILING_COMMA)
                    .build())
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .build();
    /** Reads one element of an array at a time. */
    private static final ObjectReader ELEMENTS =
            JSON.readerFor(JsonNode.class).without(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private static final String BYTE_ORDER_MARK = "\uFEFF";

    private final Path file;
    private final boolean gzip;

    JsonRows(Path file, boolean gzip) {
        this.file = file;
        this.gzip = gzip;
    }

    @Override
    public @Nullable Images read(RecordHandler handler) throws IOException {
        try {
            JsonShape shape;
            try (InputStream in = open()) {
                shape = JsonShape.of(file, in);
            }
            try (InputStream in = new BufferedInputStream(open(), 1 << 16)) {
                if (shape instanceof JsonShape.Lines) {
                    readLines(in, handler);
                } else {
                    readValues(in, shape, handler);
                }
            }
        } catch (ZipException e) {
            throw new DataException("%s is damaged gzip: %s; download it again".formatted(file, e.getMessage()), e);
        }
        return null;
    }

    private InputStream open() throws IOException {
        InputStream raw = Files.newInputStream(file);
        return gzip ? new GZIPInputStream(raw, 1 << 16) : raw;
    }

    private void readValues(InputStream in, JsonShape shape, RecordHandler handler) {
        Counted rows = new Counted(handler);
        try (JsonParser parser = JSON.createParser(in)) {
            JsonToken first = parser.nextToken();
            if (first == null) {
                return;
            }
            switch (shape) {
                case JsonShape.Elements elements -> {
                    if (first != JsonToken.START_ARRAY) {
                        throw new DataException(
                                "%s is not a JSON array of records; docs/own-data.md shows the format".formatted(file));
                    }
                    readElements(parser, rows);
                }
                case JsonShape.Wrapped wrapped -> {
                    while (parser.nextToken() != JsonToken.END_OBJECT) {
                        boolean isList = parser.currentName().equals(wrapped.key());
                        parser.nextToken();
                        if (isList) {
                            readElements(parser, rows);
                        } else {
                            parser.skipChildren();
                        }
                    }
                }
                case JsonShape.ById byId -> {
                    while (parser.nextToken() != JsonToken.END_OBJECT) {
                        String id = parser.currentName();
                        parser.nextToken();
                        JsonNode record = ELEMENTS.readValue(parser);
                        if (record instanceof ObjectNode object && !object.has("id")) {
                            object.put("id", id);
                        }
                        rows.row(record);
                    }
                }
                case JsonShape.Objects objects -> {
                    for (JsonToken token = first; token != null; token = parser.nextToken()) {
                        rows.row(ELEMENTS.readValue(parser));
                    }
                }
                case JsonShape.Lines lines -> throw new IllegalArgumentException("lines are read one by one");
            }
            if (parser.nextToken() != null) {
                throw new DataException("%s continues after its array of %d records at line %d; remove that part"
                        .formatted(
                                file, rows.count, parser.currentTokenLocation().getLineNr()));
            }
        } catch (JacksonException e) {
            throw new DataException(
                    "%s is malformed JSON%s in record %d: %s; repair or download the file again"
                            .formatted(file, position(e.getLocation()), rows.count, JsonErrors.of(e)),
                    e);
        }
    }

    private static void readElements(JsonParser parser, Counted rows) {
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            rows.row(ELEMENTS.readValue(parser));
        }
    }

    /** Hands rows on and counts them. */
    private static final class Counted {
        private final RecordHandler handler;
        private int count;

        Counted(RecordHandler handler) {
            this.handler = handler;
        }

        void row(JsonNode row) {
            handler.row(row);
            count++;
        }
    }

    private void readLines(InputStream in, RecordHandler handler) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream(1 << 12);
        int number = 0;
        for (long length = readLine(in, line); length >= 0; length = readLine(in, line)) {
            number++;
            if (length > MAX_RECORD_BYTES) {
                handler.reject(
                        "line %d has %d bytes, more than a record may have (%d); split it"
                                .formatted(number, length, MAX_RECORD_BYTES),
                        null);
                continue;
            }
            try {
                String text = StandardCharsets.UTF_8
                        .newDecoder()
                        .decode(ByteBuffer.wrap(line.toByteArray()))
                        .toString();
                String json = number == 1 && text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text;
                if (!json.isBlank()) {
                    handler.row(JSON.readTree(withoutComma(json)));
                }
            } catch (CharacterCodingException e) {
                handler.reject("line %d is not UTF-8; convert it".formatted(number), e);
            } catch (JacksonException e) {
                handler.reject("line %d is malformed JSON: %s; repair the line".formatted(number, JsonErrors.of(e)), e);
            }
        }
    }

    /**
     * Reads a line and keeps its first {@link #MAX_RECORD_BYTES} bytes.
     *
     * @return the whole length of the line in bytes; -1 at the end of the file
     */
    private static long readLine(InputStream in, ByteArrayOutputStream line) throws IOException {
        line.reset();
        int b = in.read();
        if (b < 0) {
            return -1;
        }
        long length = 0;
        for (; b >= 0 && b != '\n'; b = in.read()) {
            if (++length <= MAX_RECORD_BYTES) {
                line.write(b);
            }
        }
        return length;
    }

    /** A line without the comma after its record, as in an array that lost its brackets. */
    private static String withoutComma(String line) {
        String end = line.stripTrailing();
        return end.endsWith("},") ? end.substring(0, end.length() - 1) : line;
    }

    private static String position(@Nullable TokenStreamLocation location) {
        return location == null
                ? ""
                : " at line %d, column %d,".formatted(location.getLineNr(), location.getColumnNr());
    }
}
