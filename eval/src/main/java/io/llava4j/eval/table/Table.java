package io.llava4j.eval.table;

import io.llava4j.DataException;
import io.llava4j.eval.format.JsonFiles;
import io.llava4j.eval.score.BenchmarkFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * A benchmark's table in the forms in which it is published: VLMEvalKit's TSV with images in base64, Parquet of Hugging Face, also in
 * parts, JSON lines, or a JSON array. Rows are read one by one, so that images never fill the memory.
 */
public final class Table {
    private static final Pattern PART = Pattern.compile("(.*-)00000-of-(\\d{5})(.*)");

    private Table() {}

    /**
     * Passes on every row in order.
     *
     * @param file the table, or the first of its parts {@code …-00000-of-0000N…}, which stands for all
     * @throws DataException naming the file that is missing, broken or empty
     */
    public static void read(Path file, Consumer<TableRow> rows) {
        read(List.of(file), rows);
    }

    /** The same for a table of several files in a given order. */
    public static void read(List<Path> files, Consumer<TableRow> rows) {
        long[] number = {0};
        for (Path file : files) {
            for (Path part : parts(file)) {
                readOne(
                        part,
                        node -> rows.accept(
                                new TableRow(node, number[0], "%s row %d".formatted(part.getFileName(), number[0]++))));
            }
        }
        if (number[0] == 0) {
            throw new DataException(files.getFirst() + ": the table has no rows");
        }
    }

    private static void readOne(Path file, Consumer<ObjectNode> rows) {
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        if (name.endsWith(".parquet")) {
            ParquetTable.read(file, rows);
        } else if (name.endsWith(".tsv")) {
            TabbedFile.read(file, (columns, cells) -> {
                ObjectNode row = JsonNodeFactory.instance.objectNode();
                for (int i = 0; i < cells.size(); i++) {
                    if (!cells.get(i).isEmpty()) {
                        row.put(columns.get(i), cells.get(i));
                    }
                }
                rows.accept(row);
            });
        } else if (JsonFiles.firstCharacter(file) == '[') {
            JsonFiles.arrays(file, (field, element) -> rows.accept((ObjectNode) element.node()));
        } else {
            JsonFiles.lines(file, JsonFiles.BrokenLines.REFUSE, line -> rows.accept((ObjectNode) line.node()));
        }
    }

    private static List<Path> parts(Path file) {
        Matcher name = PART.matcher(file.getFileName().toString());
        if (!name.matches()) {
            return List.of(file);
        }
        List<Path> parts = new ArrayList<>();
        for (int i = 0; i < Integer.parseInt(name.group(2)); i++) {
            Path part = i == 0 ? file : sibling(file, name, i);
            parts.add(part);
        }
        return parts;
    }

    /** Parts of a data set share number and total; a hash that ends their names differs. */
    private static Path sibling(Path file, Matcher first, int number) {
        String start = "%s%05d-of-%s".formatted(first.group(1), number, first.group(2));
        Path folder = Objects.requireNonNull(file.toAbsolutePath().getParent());
        List<Path> found = BenchmarkFiles.matches(folder, start + "*");
        if (found.size() != 1 || !Files.isRegularFile(found.getFirst())) {
            throw new DataException("%s: its part %s… is %s; put all parts beside it"
                    .formatted(file, start, found.isEmpty() ? "missing" : "there more than once"));
        }
        return found.getFirst();
    }
}
