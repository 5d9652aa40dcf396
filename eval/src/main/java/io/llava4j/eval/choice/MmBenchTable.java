package io.llava4j.eval.choice;

import io.llava4j.DataException;
import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.table.TabbedFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.dhatim.fastexcel.Workbook;
import org.dhatim.fastexcel.Worksheet;
import org.dhatim.fastexcel.reader.Cell;
import org.dhatim.fastexcel.reader.ReadableWorkbook;
import org.dhatim.fastexcel.reader.Row;
import org.dhatim.fastexcel.reader.Sheet;
import org.jspecify.annotations.Nullable;

/**
 * A table as MMBench comes and goes: tab-separated with quoted fields of several lines, or an Excel sheet.
 *
 * @param columns names of the columns
 * @param rows values of the columns, null where missing
 */
public record MmBenchTable(List<String> columns, List<List<@Nullable String>> rows) {
    /**
     * Reads a {@code .tsv} or {@code .xlsx} file.
     *
     * @throws DataException if it is neither, broken, or empty
     */
    public static MmBenchTable read(Path file) {
        try {
            MmBenchTable table = isExcel(file) ? readExcel(file) : readTabbed(file);
            if (table.rows().isEmpty()) {
                throw new DataException(file + ": the table has no rows");
            }
            return table.withOfficialNames();
        } catch (NoSuchFileException e) {
            throw new DataException(file + ": the file does not exist", e);
        } catch (IOException | UncheckedIOException e) {
            throw new DataException("%s: cannot be read as a table (%s)".formatted(file, e.getMessage()), e);
        }
    }

    /** VLMEvalKit reads column names in small letters, except those of the options A to Z. */
    private MmBenchTable withOfficialNames() {
        return new MmBenchTable(
                columns.stream()
                        .map(name -> name.length() == 1 ? name : PythonText.lower(name))
                        .toList(),
                rows);
    }

    /** Whether the name or the content of a file is that of a table. */
    static boolean isTable(Path file) {
        try {
            return file.toString().endsWith(".tsv") || isExcel(file);
        } catch (NoSuchFileException e) {
            throw new DataException(file + ": the file does not exist", e);
        } catch (IOException e) {
            throw new DataException("%s: cannot be read (%s)".formatted(file, e.getMessage()), e);
        }
    }

    /** Whether the file starts as a zip archive does. */
    private static boolean isExcel(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return in.read() == 'P' && in.read() == 'K';
        }
    }

    /** Place of a column; -1 if there is none. */
    int column(String name) {
        return columns.indexOf(name);
    }

    /** A row's value in a column; null where it is missing, or the table has no such column. */
    @Nullable
    String cell(List<@Nullable String> row, String column) {
        int at = column(column);
        return at < 0 || at >= row.size() ? null : row.get(at);
    }

    /** The same as text, empty where it is missing. */
    String text(List<@Nullable String> row, String column) {
        String value = cell(row, column);
        return value == null ? "" : value;
    }

    /** @throws DataException if a column is missing */
    void require(Path file, String... names) {
        for (String name : names) {
            if (column(name) < 0) {
                throw new DataException("%s: has no column '%s', only %s".formatted(file, name, columns));
            }
        }
    }

    /** Rows by the number in a column; of several with one number the last. */
    public Map<Long, List<@Nullable String>> by(String column, Path file) {
        require(file, column);
        Map<Long, List<@Nullable String>> byNumber = new HashMap<>();
        for (List<@Nullable String> row : rows) {
            byNumber.put(number(cell(row, column), file), row);
        }
        return byNumber;
    }

    /** @throws DataException if a cell holds no whole number */
    public static long number(@Nullable String cell, Path file) {
        if (cell == null || !cell.matches("\\d{1,18}(\\.0+)?")) {
            throw new DataException(
                    cell == null
                            ? file + ": a row has no 'index'; number the rows, or add the column"
                            : "%s: index '%s' is not a whole number; MMBench numbers its rows, as rotations differ by millions"
                                    .formatted(file, cell));
        }
        int point = cell.indexOf('.');
        return Long.parseLong(point < 0 ? cell : cell.substring(0, point));
    }

    /**
     * An Excel file of one sheet.
     *
     * @param numbers columns that hold whole numbers
     */
    public byte[] excel(Set<String> numbers) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (Workbook workbook = new Workbook(bytes, "llava4j", null)) {
            Worksheet sheet = workbook.newWorksheet("Sheet1");
            for (int c = 0; c < columns.size(); c++) {
                sheet.value(0, c, columns.get(c));
                for (int r = 0; r < rows.size(); r++) {
                    String value = rows.get(r).get(c);
                    if (value != null) {
                        if (numbers.contains(columns.get(c))) {
                            sheet.value(r + 1, c, Long.parseLong(value));
                        } else {
                            sheet.value(r + 1, c, value);
                        }
                    }
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static MmBenchTable readTabbed(Path file) {
        List<List<@Nullable String>> rows = new ArrayList<>();
        List<String> columns = new ArrayList<>();
        TabbedFile.read(file, (names, cells) -> {
            if (columns.isEmpty()) {
                columns.addAll(names);
            }
            // The last cells of a short line are missing, as in pandas.
            rows.add(withoutMissing(cells));
        });
        return new MmBenchTable(columns, rows);
    }

    private static List<@Nullable String> withoutMissing(List<String> fields) {
        List<@Nullable String> values = new ArrayList<>(fields.size());
        for (String field : fields) {
            values.add(TabbedFile.isMissing(field) ? null : field);
        }
        return values;
    }

    private static MmBenchTable readExcel(Path file) throws IOException {
        List<List<@Nullable String>> rows = new ArrayList<>();
        List<String> columns = new ArrayList<>();
        try (InputStream in = Files.newInputStream(file);
                ReadableWorkbook workbook = new ReadableWorkbook(in)) {
            Sheet sheet = workbook.getFirstSheet();
            try (Stream<Row> stream = sheet.openStream()) {
                stream.forEach(row -> {
                    List<@Nullable String> values = new ArrayList<>();
                    int width = columns.isEmpty() ? row.getCellCount() : columns.size();
                    for (int c = 0; c < width; c++) {
                        Cell cell = c < row.getCellCount() ? row.getCell(c) : null;
                        String text = cell == null ? "" : cell.getText();
                        values.add(TabbedFile.isMissing(text) ? null : text);
                    }
                    if (columns.isEmpty()) {
                        values.forEach(name -> columns.add(name == null ? "" : name));
                    } else {
                        rows.add(values);
                    }
                });
            }
        }
        return new MmBenchTable(columns, rows);
    }
}
