package io.llava4j.eval.table;

import dev.hardwood.InputFile;
import dev.hardwood.reader.ParquetFileReader;
import dev.hardwood.reader.RowReader;
import dev.hardwood.row.PqList;
import dev.hardwood.row.PqStruct;
import dev.hardwood.row.StructAccessor;
import io.llava4j.DataException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** The rows of a Parquet file as JSON; bytes become binary nodes, structs and lists keep their form. */
final class ParquetTable {
    /** Kept in a field: the level of a logger without references may be lost. */
    private static final Logger LIBRARY = Logger.getLogger("dev.hardwood");

    static {
        LIBRARY.setLevel(Level.WARNING);
    }

    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private ParquetTable() {}

    /** @throws DataException if the file is damaged or compressed in an unknown way */
    static void read(Path file, Consumer<ObjectNode> rows) {
        long[] row = {0};
        try (ParquetFileReader reader = ParquetFileReader.open(InputFile.of(file));
                RowReader cursor = reader.rowReader()) {
            while (cursor.hasNext()) {
                cursor.next();
                rows.accept(object(cursor));
                row[0]++;
            }
        } catch (DataException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            String reason = String.valueOf(e.getMessage()).lines().findFirst().orElse(e.toString());
            throw new DataException(
                    "%s cannot be read as Parquet near row %d: %s; download it again".formatted(file, row[0], reason),
                    e);
        }
    }

    private static ObjectNode object(StructAccessor struct) {
        ObjectNode object = NODES.objectNode();
        for (int i = 0; i < struct.getFieldCount(); i++) {
            object.set(struct.getFieldName(i), struct.isNull(i) ? NODES.nullNode() : node(struct.getValue(i)));
        }
        return object;
    }

    private static JsonNode node(@Nullable Object value) {
        return switch (value) {
            case null -> NODES.nullNode();
            case String text -> NODES.stringNode(text);
            case Boolean truth -> NODES.booleanNode(truth);
            case Long number -> NODES.numberNode(number);
            case Integer number -> NODES.numberNode(number);
            case Number number -> NODES.numberNode(number.doubleValue());
            case byte[] bytes -> NODES.binaryNode(bytes);
            case PqStruct struct -> object(struct);
            case PqList list -> {
                ArrayNode array = NODES.arrayNode();
                for (int i = 0; i < list.size(); i++) {
                    array.add(node(list.isNull(i) ? null : list.get(i)));
                }
                yield array;
            }
            default -> NODES.stringNode(value.toString());
        };
    }
}
