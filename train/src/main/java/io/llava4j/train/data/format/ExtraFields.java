package io.llava4j.train.data.format;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Fields of a data set's records that no rule reads, such as {@code source}, {@code weight} or {@code split}. A program that
 * writes the records in another format writes them, too. They are read in a pass of their own, because training needs
 * none of them.
 */
public final class ExtraFields implements RecordHandler {
    private static final Set<String> TURN_FIELDS = Set.of("from", "value", "role", "content");

    private final Map<Integer, Map<String, JsonNode>> byIndex = new HashMap<>();
    private final TreeMap<String, Integer> ofTurns = new TreeMap<>();
    private int index;

    private ExtraFields() {}

    /**
     * Reads the fields of a data set.
     *
     * @param file in any format of {@link DataFiles}
     */
    public static ExtraFields of(Path file) {
        ExtraFields fields = new ExtraFields();
        try (@Nullable Images images = DataFiles.read(file, fields)) {
            return fields;
        }
    }

    /**
     * The fields of a record, in its order; empty for none.
     *
     * @param record index in the file, from 0
     */
    public Map<String, JsonNode> of(int record) {
        return byIndex.getOrDefault(record, Map.of());
    }

    /** Names of fields of turns besides {@code from} and {@code value}, with the number of turns; these are not written. */
    public Map<String, Integer> ofTurns() {
        return ofTurns;
    }

    /** Number of records with fields among those that are not written. */
    public int lost(int[] written) {
        int kept = 0;
        for (int record : written) {
            kept += byIndex.containsKey(record) ? 1 : 0;
        }
        return byIndex.size() - kept;
    }

    @Override
    public void row(JsonNode row) {
        Map<String, JsonNode> fields = new LinkedHashMap<>();
        row.properties().forEach(field -> {
            if (!RowShapes.reads(row, field.getKey())) {
                fields.put(field.getKey(), field.getValue());
            }
        });
        if (!fields.isEmpty()) {
            byIndex.put(index, fields);
        }
        row.path("conversations")
                .forEach(turn -> turn.properties().forEach(field -> {
                    if (!TURN_FIELDS.contains(field.getKey())) {
                        ofTurns.merge(field.getKey(), 1, Integer::sum);
                    }
                }));
        index++;
    }

    @Override
    public void reject(String reason, @Nullable Exception cause) {
        index++;
    }
}
