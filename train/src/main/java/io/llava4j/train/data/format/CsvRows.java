package io.llava4j.train.data.format;

import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import io.llava4j.DataException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** A table with a header: every row becomes an object of strings. Separated by commas, semicolons or, in TSV, tabs. */
final class CsvRows implements RowSource {
    private static final int MAX_HEADER = 1 << 16;

    private final Path file;

    CsvRows(Path file) {
        this.file = file;
    }

    @Override
    public @Nullable Images read(RecordHandler handler) throws IOException {
        long line = 1;
        try (BufferedReader in = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            char separator = separator(in);
            CsvReader<CsvRecord> table = CsvReader.builder()
                    .fieldSeparator(separator)
                    .extraFieldStrategy(de.siegmar.fastcsv.reader.FieldMismatchStrategy.IGNORE)
                    .missingFieldStrategy(de.siegmar.fastcsv.reader.FieldMismatchStrategy.IGNORE)
                    .allowUnclosedQuote(false)
                    .maxBufferSize(JsonRows.MAX_RECORD_BYTES)
                    .ofCsvRecord(separator == '\t' ? new TabbedQuotes(in) : in);
            Iterator<CsvRecord> rows = table.iterator();
            if (!rows.hasNext()) {
                return null;
            }
            List<String> header = rows.next().getFields().stream()
                    .map(name -> name.strip().toLowerCase(Locale.ROOT))
                    .toList();
            if (header.stream().distinct().count() != header.size()) {
                throw new DataException("%s names a column twice in its header %s; rename one".formatted(file, header));
            }
            if (!RowShapes.isKnown(header, handler)) {
                throw new DataException(
                        "%s has the columns %s; name them image, question, answer or image, caption in its first line"
                                .formatted(file, header));
            }
            while (rows.hasNext()) {
                CsvRecord row = rows.next();
                line = row.getStartingLineNumber();
                if (row.getFieldCount() != header.size()) {
                    handler.reject(
                            "line %d has %d fields where the header has %d; quote the fields that hold a separator"
                                    .formatted(line, row.getFieldCount(), header.size()),
                            null);
                    continue;
                }
                ObjectNode object = JsonNodeFactory.instance.objectNode();
                for (int i = 0; i < header.size(); i++) {
                    if (!row.getField(i).isEmpty()) {
                        object.put(header.get(i), row.getField(i));
                    }
                }
                String empty = emptyColumn(header, row, handler.takesQuestions());
                if (empty != null) {
                    handler.reject(
                            "line %d, column %s: the field is empty; fill it or remove the line".formatted(line, empty),
                            null);
                    continue;
                }
                handler.row(object);
            }
        } catch (CharacterCodingException e) {
            throw notUtf8(line, e);
        } catch (UncheckedIOException e) {
            if (e.getCause() instanceof CharacterCodingException) {
                throw notUtf8(line, e);
            }
            throw e.getCause();
        } catch (CsvParseException e) {
            if (e.getCause() instanceof CharacterCodingException) {
                throw notUtf8(line, e);
            }
            throw new DataException(
                    "%s is malformed after line %d: %s; close every quote and double those inside a field"
                            .formatted(file, line, e.getMessage()),
                    e);
        }
        return null;
    }

    /** A column that a row of a question, or else of a caption, needs but leaves empty; null for none. */
    private static @Nullable String emptyColumn(List<String> header, CsvRecord row, boolean asked) {
        List<String> needed = asked
                ? List.of("question")
                : header.contains("question")
                        ? List.of("question", "answer")
                        : header.contains("caption") ? List.of("caption") : List.of();
        for (String column : needed) {
            int at = header.indexOf(column);
            if (at >= 0 && row.getField(at).isBlank()) {
                return column;
            }
        }
        return null;
    }

    private DataException notUtf8(long line, Exception e) {
        return new DataException("%s is not UTF-8 after line %d; convert it".formatted(file, line), e);
    }

    /** Detects the separator; the reader stays at the start, after a byte order mark. */
    private char separator(BufferedReader in) throws IOException {
        if (file.getFileName().toString().toLowerCase(Locale.ROOT).endsWith(".tsv")) {
            skipByteOrderMark(in);
            return '\t';
        }
        skipByteOrderMark(in);
        in.mark(MAX_HEADER + 1);
        int commas = 0;
        int semicolons = 0;
        for (int i = 0, c = in.read(); i < MAX_HEADER && c >= 0 && c != '\n'; i++, c = in.read()) {
            commas += c == ',' ? 1 : 0;
            semicolons += c == ';' ? 1 : 0;
        }
        in.reset();
        return semicolons > commas ? ';' : ',';
    }

    private static void skipByteOrderMark(BufferedReader in) throws IOException {
        in.mark(1);
        if (in.read() != '\uFEFF') {
            in.reset();
        }
    }
}
