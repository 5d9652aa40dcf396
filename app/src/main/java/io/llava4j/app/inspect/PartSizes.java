package io.llava4j.app.inspect;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.checkpoint.layout.TensorEntry;
import java.io.PrintWriter;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What a part of a model takes in its files.
 *
 * @param tensors their count
 * @param parameters count of all elements
 * @param bytes as stored
 * @param dtypes names of the element types, sorted
 * @param bytesByType as stored
 */
public record PartSizes(int tensors, long parameters, long bytes, List<String> dtypes, Map<String, Long> bytesByType) {
    /** The vision tower. */
    public static final String TOWER = "visionTower";

    /** The projector. */
    public static final String PROJECTOR = "projector";

    /** The language model. */
    public static final String LANGUAGE_MODEL = "languageModel";

    /** All parts together. */
    public static final String TOTAL = "total";

    /** Sizes by part, those that are there, and of all together under {@code total}. */
    public static Map<String, PartSizes> of(Checkpoint checkpoint) {
        return byPart(checkpoint.tensors().values());
    }

    /** {@link #of(Checkpoint)} for the tensors of a model. */
    static Map<String, PartSizes> byPart(Collection<TensorEntry> all) {
        Map<String, List<TensorEntry>> tensors =
                all.stream().collect(Collectors.groupingBy(tensor -> part(tensor.name())));
        Map<String, PartSizes> parts = new LinkedHashMap<>();
        for (String name : List.of(TOWER, PROJECTOR, LANGUAGE_MODEL)) {
            if (tensors.containsKey(name)) {
                parts.put(name, of(tensors.getOrDefault(name, List.of())));
            }
        }
        parts.put(TOTAL, of(List.copyOf(all)));
        return parts;
    }

    private static PartSizes of(List<TensorEntry> tensors) {
        Map<String, Long> bytes = tensors.stream()
                .collect(Collectors.groupingBy(
                        TensorEntry::storedType, TreeMap::new, Collectors.summingLong(TensorEntry::storedBytes)));
        return new PartSizes(
                tensors.size(),
                tensors.stream().mapToLong(TensorEntry::elements).sum(),
                tensors.stream().mapToLong(TensorEntry::storedBytes).sum(),
                List.copyOf(bytes.keySet()),
                bytes);
    }

    private static String part(String name) {
        if (name.startsWith(CanonicalNames.TOWER)) {
            return TOWER;
        }
        return name.startsWith(CanonicalNames.PROJECTOR) ? PROJECTOR : LANGUAGE_MODEL;
    }

    /** Average bits that a weight takes in the files. */
    @JsonProperty
    public double bitsPerWeight() {
        return 8.0 * bytes / parameters;
    }

    /** Prints a table with a line for each part and each type in it. */
    public static void print(PrintWriter out, Checkpoint checkpoint) {
        out.printf("%-13s %8s %16s %16s  %s%n", "part", "tensors", "parameters", "bytes", "type");
        of(checkpoint)
                .forEach((name, part) -> out.printf(
                        Locale.ROOT,
                        "%-13s %8d %,16d %,16d  %s; %.2f bits per weight%n",
                        name,
                        part.tensors,
                        part.parameters,
                        part.bytes,
                        part.types(),
                        part.bitsPerWeight()));
    }

    /** Types by their size, with their share of the bytes where there are several. */
    private String types() {
        return bytesByType.entrySet().stream()
                .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
                .map(type -> bytesByType.size() == 1
                        ? type.getKey()
                        : String.format(Locale.ROOT, "%s %.1f%%", type.getKey(), 100.0 * type.getValue() / bytes))
                .collect(Collectors.joining(", "));
    }
}
