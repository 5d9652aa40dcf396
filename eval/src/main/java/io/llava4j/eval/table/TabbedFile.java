package io.llava4j.eval.table;

import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import io.llava4j.DataException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Tab-separated files as pandas reads them: quoted fields of several lines, short lines, cells that mean nothing. */
public final class TabbedFile {
    private static final int LONGEST_FIELD = 64 << 20;

    /** What pandas 2 reads as missing. */
    private static final Set<String> MISSING = Set.of(
            "",
            "#N/A",
            "#N/A N/A",
            "#NA",
            "-1.#IND",
            "-1.#QNAN",
            "-NaN",
            "-nan",
            "1.#IND",
            "1.#QNAN",
            "<NA>",
            "N/A",
            "NA",
            "NULL",
            "NaN",
            "None",
            "n/a",
            "nan",
            "null");

    private TabbedFile() {}

    /** Whether pandas takes the content of a cell for nothing. */
    public static boolean isMissing(String cell) {
        return MISSING.contains(cell);
    }

    /** Receives the rows of {@link #read}. */
    @FunctionalInterface
    public interface Rows {
        /**
         * Takes one row.
         *
         * @param columns names of the columns
         * @param cells at most as many; the last cells of a short line are not there
         */
        void row(List<String> columns, List<String> cells);
    }

    /**
     * Reads all rows in order.
     *
     * @throws DataException if the file is missing or broken, or a line has more fields than the first
     */
    public static void read(Path file, Rows rows) {
        List<String> columns = new ArrayList<>();
        try (CsvReader<CsvRecord> reader = CsvReader.builder()
                .fieldSeparator('\t')
                .detectBomHeader(true)
                .allowExtraCharsAfterClosingQuote(true)
                .allowMissingFields(true)
                .allowExtraFields(true)
                .maxBufferSize(LONGEST_FIELD)
                .ofCsvRecord(file)) {
            for (CsvRecord record : reader) {
                if (columns.isEmpty()) {
                    columns.addAll(record.getFields());
                } else if (record.getFieldCount() > columns.size()) {
                    throw new DataException("%s line %d: has %d fields instead of %d"
                            .formatted(file, record.getStartingLineNumber(), record.getFieldCount(), columns.size()));
                } else {
                    rows.row(columns, record.getFields());
                }
            }
        } catch (NoSuchFileException e) {
            throw new DataException(file + ": the file does not exist", e);
        } catch (IOException | UncheckedIOException | CsvParseException e) {
            throw new DataException("%s: cannot be read as a table (%s)".formatted(file, e.getMessage()), e);
        }
    }
}
