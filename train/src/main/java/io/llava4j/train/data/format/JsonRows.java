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
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectReader;
import tools.jackson.databind.json.JsonMapper;

/** A JSON array, read element by element, or JSON lines. */
final class JsonRows implements RowSource {
    /** Longest line and longest text, in bytes: far above any conversation, far below what would fill the memory. */
    static final int MAX_RECORD_BYTES = 1 << 24;

    static final JsonMapper JSON = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxStringLength(MAX_RECORD_BYTES)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .build();
    /** Reads one element of an array and leaves the rest to the next call. */
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
    public @Nullable Images read(RecordHandler sink) throws IOException {
        try (InputStream raw = Files.newInputStream(file);
                InputStream in = new BufferedInputStream(gzip ? new GZIPInputStream(raw, 1 << 16) : raw, 1 << 16)) {
            if (startsWithObject(in)) {
                readLines(in, sink);
            } else {
                readArray(in, sink);
            }
        } catch (ZipException e) {
            throw new DataException("%s is damaged gzip: %s; fetch it again".formatted(file, e.getMessage()), e);
        }
        return null;
    }

    private void readArray(InputStream in, RecordHandler sink) {
        int rows = 0;
        try (JsonParser parser = JSON.createParser(in)) {
            JsonToken first = parser.nextToken();
            if (first == null) {
                return;
            }
            if (first != JsonToken.START_ARRAY) {
                throw new DataException(
                        "%s is not a JSON array of records; see docs for LLaVA's data format".formatted(file));
            }
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                JsonNode node = ELEMENTS.readValue(parser);
                sink.row(node);
                rows++;
            }
            if (parser.nextToken() != null) {
                throw new DataException("%s goes on after its array of %d records at line %d; remove the rest"
                        .formatted(file, rows, parser.currentTokenLocation().getLineNr()));
            }
        } catch (JacksonException e) {
            throw new DataException(
                    "%s is malformed JSON%s in record %d: %s; repair or fetch the file again"
                            .formatted(file, place(e.getLocation()), rows, firstLine(e)),
                    e);
        }
    }

    private void readLines(InputStream in, RecordHandler sink) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream(1 << 12);
        int number = 0;
        for (long length = readLine(in, line); length >= 0; length = readLine(in, line)) {
            number++;
            if (length > MAX_RECORD_BYTES) {
                sink.refuse(
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
                    sink.row(JSON.readTree(json));
                }
            } catch (CharacterCodingException e) {
                sink.refuse("line %d is not UTF-8; convert it".formatted(number), e);
            } catch (JacksonException e) {
                sink.refuse("line %d is malformed JSON: %s; repair the line".formatted(number, firstLine(e)), e);
            }
        }
    }

    /**
     * Reads up to the next line feed, keeping what a record may have.
     *
     * @return the line's length in bytes, all of it; -1 at the end
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

    /** Whether the first character that is no white space is an opening brace; leaves the stream at its beginning. */
    private static boolean startsWithObject(InputStream in) throws IOException {
        in.mark(1 << 15);
        int c = in.read();
        while (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == 0xEF || c == 0xBB || c == 0xBF) {
            c = in.read();
        }
        in.reset();
        return c == '{';
    }

    private static String place(@Nullable TokenStreamLocation location) {
        return location == null
                ? ""
                : " at line %d, column %d,".formatted(location.getLineNr(), location.getColumnNr());
    }

    static String firstLine(JacksonException e) {
        return e.getOriginalMessage().lines().findFirst().orElse("unreadable");
    }
}
