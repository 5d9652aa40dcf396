package io.llava4j.train.data;

import io.llava4j.text.Turn;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One sample in LLaVA's data format (docs/reference/data.md#record-format).
 *
 * @param id as the file has it; not necessarily unique
 * @param image path below the image folder; null for text only
 * @param turns alternating, human first, answer last
 */
public record LlavaRecord(String id, @Nullable String image, List<Turn> turns) {
    public LlavaRecord {
        turns = List.copyOf(turns);
    }
}
