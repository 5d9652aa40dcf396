package io.llava4j.train.data;

import io.llava4j.DataException;
import io.llava4j.train.recipe.TrainConfig.Policy;
import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectReader;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads LLaVA's data format, a JSON array of records (spec/data 1), or the same records one a line. Records are read
 * one by one, so a file need not fit into memory as a tree. Every record is checked by {@link RecordRules}.
 */
public final class LlavaJson {
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .build();
    /** Reads one element of an array and leaves the rest to the next call. */
    private static final ObjectReader ELEMENTS =
            JSON.readerFor(JsonNode.class).without(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private static final String BYTE_ORDER_MARK = "\uFEFF";

    private final Path file;
    private final Policy badRecords;
    private final RecordRules rules = new RecordRules();
    private final List<LlavaRecord> records = new ArrayList<>();
    private final IntStream.Builder indices = IntStream.builder();
    private final List<SkippedRecord> skipped = new ArrayList<>();
    private int index;

    private LlavaJson(Path file, Policy badRecords) {
        this.file = file;
        this.badRecords = badRecords;
    }

    /**
     * Reads a file.
     *
     * @param file JSON array, or JSON lines
     * @param badRecords what happens to a record that breaks a rule; a file that is no JSON from some place on cannot
     *     be used either way
     * @throws DataException naming file, line or record, and the remedy; also if no record is usable
     */
    public static LlavaData read(Path file, Policy badRecords) {
        return new LlavaJson(file, badRecords).read();
    }

    private LlavaData read() {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
            if (startsWithObject(in)) {
                readLines();
            } else {
                readArray(in);
            }
        } catch (NoSuchFileException e) {
            throw new DataException("%s does not exist; check data.json".formatted(file), e);
        } catch (CharacterCodingException e) {
            throw new DataException("%s is not UTF-8 after record %d; convert it".formatted(file, index - 1), e);
        } catch (IOException e) {
            throw new DataException("%s cannot be read: %s".formatted(file, e.getMessage()), e);
        }
        if (records.isEmpty()) {
            throw new DataException(
                    skipped.isEmpty()
                            ? "%s holds no records; a LLaVA data file is a JSON array of them".formatted(file)
                            : "none of the %d records of %s can be used; the first: %s"
                                    .formatted(
                                            skipped.size(),
                                            file,
                                            skipped.getFirst().reason()));
        }
        return new LlavaData(file, records, indices.build().toArray(), skipped, rules.leadingAnswersDropped());
    }

    private void readArray(InputStream in) {
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
                accept(node);
            }
            if (parser.nextToken() != null) {
                throw new DataException("%s goes on after its array of %d records at line %d; remove the rest"
                        .formatted(file, index, parser.currentTokenLocation().getLineNr()));
            }
        } catch (JacksonException e) {
            throw new DataException(
                    "%s is malformed JSON%s in record %d: %s; repair or fetch the file again"
                            .formatted(file, place(e.getLocation()), index, firstLine(e)),
                    e);
        }
    }

    private void readLines() throws IOException {
        try (BufferedReader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            int number = 0;
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                number++;
                String json = number == 1 && line.startsWith(BYTE_ORDER_MARK) ? line.substring(1) : line;
                if (json.isBlank()) {
                    continue;
                }
                JsonNode node;
                try {
                    node = JSON.readTree(json);
                } catch (JacksonException e) {
                    refuse("", "line %d is malformed JSON: %s; repair the line".formatted(number, firstLine(e)), e);
                    continue;
                }
                accept(node);
            }
        }
    }

    private void accept(JsonNode node) {
        try {
            LlavaRecord accepted = rules.read(node);
            records.add(accepted);
            indices.add(index++);
        } catch (DataException e) {
            refuse(RecordRules.id(node), String.valueOf(e.getMessage()), e);
        }
    }

    private void refuse(String id, String reason, Exception cause) {
        SkippedRecord record = new SkippedRecord(file.toString(), index++, id, reason);
        if (badRecords == Policy.FAIL) {
            throw new DataException(record.message(), cause);
        }
        skipped.add(record);
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

    private static String firstLine(JacksonException e) {
        return e.getOriginalMessage().lines().findFirst().orElse("unreadable");
    }
}
