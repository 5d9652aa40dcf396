package io.llava4j.checkpoint.safetensors;

import io.llava4j.CheckpointException;
import io.llava4j.io.FileErrors;
import io.llava4j.io.StrictJson;
import io.llava4j.tensor.format.DType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A checked safetensors header.
 *
 * @param slots in the order of their data, which covers the data section exactly
 * @param metadata free strings of the {@code __metadata__} entry
 */
record SafeTensorsHeader(List<Slot> slots, Map<String, String> metadata) {
    static final String METADATA = "__metadata__";

    /** A tensor and its byte range, relative to the data section. */
    record Slot(String name, DType dtype, long[] shape, long begin, long end) {}

    static SafeTensorsHeader parse(Path file, byte[] json, long dataBytes) {
        ObjectNode root = StrictJson.object(file, json);
        List<Slot> slots = new ArrayList<>();
        Map<String, String> metadata = Map.of();
        for (Map.Entry<String, JsonNode> property : root.properties()) {
            if (property.getKey().equals(METADATA)) {
                metadata = metadata(file, property.getValue());
            } else {
                slots.add(slot(file, property.getKey(), property.getValue(), dataBytes));
            }
        }
        slots.sort(Comparator.comparingLong(Slot::begin).thenComparingLong(Slot::end));
        long covered = 0;
        for (Slot slot : slots) {
            if (slot.begin() != covered) {
                throw bad(
                        file,
                        slot.name(),
                        slot.begin() < covered
                                ? "its data overlaps another tensor's"
                                : "%d unused bytes lie before its data".formatted(slot.begin() - covered));
            }
            covered = slot.end();
        }
        if (covered != dataBytes) {
            throw new CheckpointException("%s: the tensors take %d bytes but the file holds %d bytes of data"
                    .formatted(file, covered, dataBytes));
        }
        return new SafeTensorsHeader(List.copyOf(slots), metadata);
    }

    private static Map<String, String> metadata(Path file, JsonNode node) {
        if (!node.isObject()) {
            throw bad(file, METADATA, "an object of strings is expected");
        }
        Map<String, String> metadata = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> property : node.properties()) {
            if (!property.getValue().isString()) {
                throw bad(
                        file,
                        METADATA,
                        "the value of '%s' is not a string".formatted(FileErrors.shown(property.getKey())));
            }
            metadata.put(property.getKey(), property.getValue().stringValue());
        }
        return Map.copyOf(metadata);
    }

    private static Slot slot(Path file, String name, JsonNode node, long dataBytes) {
        if (name.isEmpty()) {
            throw bad(file, name, "a tensor needs a name");
        }
        if (!node.isObject()) {
            throw bad(file, name, "an object with dtype, shape and data_offsets is expected");
        }
        JsonNode type = node.path("dtype");
        DType dtype = DType.named(type.isString() ? type.stringValue() : "")
                .orElseThrow(() -> bad(file, name, unknown(type)));
        long[] shape = integers(file, name, node.path("shape"), "shape");
        long[] offsets = integers(file, name, node.path("data_offsets"), "data_offsets");
        if (offsets.length != 2 || offsets[0] > offsets[1] || offsets[1] > dataBytes) {
            throw bad(
                    file,
                    name,
                    "its data_offsets %s do not lie in the %d bytes of data; the file may be truncated"
                            .formatted(
                                    FileErrors.shown(node.path("data_offsets").toString()), dataBytes));
        }
        long bytes = dtype.bytes();
        try {
            for (long size : shape) {
                bytes = Math.multiplyExact(bytes, size);
            }
        } catch (ArithmeticException e) {
            throw bad(file, name, "its shape %s is beyond all memory".formatted(shape(node)));
        }
        if (bytes != offsets[1] - offsets[0]) {
            throw bad(
                    file,
                    name,
                    "shape %s of %s needs %d bytes but data_offsets give %d"
                            .formatted(shape(node), dtype, bytes, offsets[1] - offsets[0]));
        }
        return new Slot(name, dtype, shape, offsets[0], offsets[1]);
    }

    private static String unknown(JsonNode type) {
        String shown = FileErrors.shown(type.toString());
        return type.isString() && type.stringValue().matches("F[468]_.*")
                ? "it is quantised to %s; take the model in F16 or BF16".formatted(shown)
                : "unknown dtype %s".formatted(shown);
    }

    private static long[] integers(Path file, String name, JsonNode node, String key) {
        if (!node.isArray()) {
            throw bad(file, name, "%s is not an array".formatted(key));
        }
        long[] values = new long[node.size()];
        for (int i = 0; i < values.length; i++) {
            JsonNode value = node.get(i);
            if (!value.isIntegralNumber() || !value.canConvertToLong() || value.longValue() < 0) {
                throw bad(
                        file,
                        name,
                        "%s holds %s where a whole number from 0 is expected"
                                .formatted(key, FileErrors.shown(value.toString())));
            }
            values[i] = value.longValue();
        }
        return values;
    }

    private static String shape(JsonNode tensor) {
        return FileErrors.shown(tensor.path("shape").toString());
    }

    private static CheckpointException bad(Path file, String tensor, String problem) {
        return new CheckpointException("%s: tensor '%s': %s".formatted(file, FileErrors.shown(tensor), problem));
    }
}
