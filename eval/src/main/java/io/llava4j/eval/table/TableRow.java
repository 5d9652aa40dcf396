package io.llava4j.eval.table;

import io.llava4j.DataException;
import io.llava4j.eval.format.JsonRecord;
import io.llava4j.eval.format.QuestionId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A row of a benchmark's table.
 *
 * @param node its cells by column; images are binary, or text: base64, a data URL or a path
 * @param number its place in the table, from 0
 * @param where file and row, for messages
 */
public record TableRow(ObjectNode node, long number, String where) {
    /** The id in one of some columns; without such a column the row's number. */
    public QuestionId id(String... columns) {
        for (String column : columns) {
            if (node.hasNonNull(column)) {
                String text = text(column);
                return node.get(column).isIntegralNumber() || text.matches("0|[1-9]\\d{0,17}")
                        ? QuestionId.of(Long.parseLong(text))
                        : new JsonRecord(node, where).id(column);
            }
        }
        return QuestionId.of(number);
    }

    /** Whether the table has a column with something in it here. */
    public boolean has(String column) {
        return optional(column) != null;
    }

    /** A cell as text, null where the column is missing or empty. */
    public @Nullable String optional(String column) {
        JsonNode cell = node.get(column);
        if (cell == null || cell.isNull()) {
            return null;
        }
        return cell.isString() ? cell.stringValue() : cell.isNumber() || cell.isBoolean() ? cell.asString() : null;
    }

    /** @throws DataException if the first of some columns that the table has holds no text; and if it has none of them */
    public String text(String... columns) {
        for (String column : columns) {
            if (node.has(column)) {
                String text = optional(column);
                if (text == null) {
                    throw new DataException("%s: column '%s' is empty or holds no text".formatted(where, column));
                }
                return text;
            }
        }
        throw new DataException("%s: has no column '%s'; the row has %s"
                .formatted(where, String.join("' or '", columns), node.propertyNames()));
    }

    /** The strings of a cell: a list, a list in Python's notation, or one string alone. */
    public List<String> texts(String column) {
        JsonNode cell = node.path(column);
        if (cell.isArray()) {
            return cell.valueStream().map(element -> element.asString("")).toList();
        }
        return list(text(column));
    }

    /** The strings of a list in Python's notation; any other text alone. */
    public static List<String> list(String text) {
        List<String> list = PythonList.parse(text);
        return list == null ? List.of(text) : list;
    }

    /** The options in the columns A, B, …, as far as they are filled, by letter; empty where the table has none. */
    public Map<String, String> lettered() {
        Map<String, String> options = new LinkedHashMap<>();
        for (char letter = 'A'; letter <= 'Z'; letter++) {
            String option = optional(String.valueOf(letter));
            if (option != null && !TabbedFile.isMissing(option)) {
                options.put(String.valueOf(letter), option);
            }
        }
        return options;
    }

    /**
     * The images of some columns in order; a cell may hold one or a list.
     *
     * @throws DataException for a column that is missing or empty, or holds something else
     */
    List<CellImage> images(List<String> columns) {
        List<CellImage> images = new ArrayList<>();
        for (String column : columns) {
            JsonNode cell = node.path(column);
            String place = "%s, column %s".formatted(where, column);
            List<String> listed = cell.isString() ? PythonList.parse(cell.stringValue()) : null;
            if (cell.isArray()) {
                cell.forEach(element -> images.add(CellImage.of(element, place)));
            } else if (listed != null) {
                listed.forEach(element -> images.add(CellImage.of(node.stringNode(element), place)));
            } else if (cell.isMissingNode() || cell.isNull()) {
                throw new DataException(place + ": holds no image");
            } else {
                images.add(CellImage.of(cell, place));
            }
        }
        return images;
    }
}
