package io.llava4j.train.data.raw;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Records of conversations, and objects with fields in a fixed order. */
public final class RawSchemas {
    private RawSchemas() {}

    /** A conversation in LLaVA's or ShareGPT's format; {@code fromAndValue} alternates the two. */
    public static Map<String, Object> conversation(String id, String image, List<String> fromAndValue) {
        List<Object> turns = new ArrayList<>();
        for (int i = 0; i < fromAndValue.size(); i += 2) {
            turns.add(ordered("from", fromAndValue.get(i), "value", fromAndValue.get(i + 1)));
        }
        Map<String, Object> record = ordered("id", id);
        if (!image.isEmpty()) {
            record.put("image", image);
        }
        record.put("conversations", turns);
        return record;
    }

    /** An object with its fields in this order; names and values alternate. */
    public static Map<String, Object> ordered(@Nullable Object... keysAndValues) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            map.put((String) keysAndValues[i], keysAndValues[i + 1]);
        }
        return map;
    }
}
