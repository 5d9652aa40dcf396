package io.llava4j.train.data;

import io.llava4j.text.Role;
import io.llava4j.text.Turn;
import java.util.List;
import java.util.regex.Pattern;

/**
 * One sample in LLaVA's data format (docs/reference/data.md#record-format).
 *
 * @param id as the file has it; not necessarily unique
 * @param images paths below the image folder, in the order in which the conversation names them; empty for text only
 * @param system system prompt of the conversation, in the place of the template's; empty if it has none
 * @param turns alternating, human first, answer last
 * @param source data set that it comes from, for losses by source; empty if it names none
 */
public record LlavaRecord(String id, List<String> images, String system, List<Turn> turns, String source) {
    private static final Pattern SHOWN_IMAGE =
            Pattern.compile("!\\[[^\\]\n]*\\]\\([^)\\s]+\\)|<img\\s[^>]*src\\s*=", Pattern.CASE_INSENSITIVE);

    public LlavaRecord {
        images = List.copyOf(images);
        turns = List.copyOf(turns);
    }

    /** Whether a question shows an image in Markdown or HTML, which nothing reads, while the record has none. */
    public boolean showsImageThatItDoesNotHave() {
        return images.isEmpty()
                && turns.stream()
                        .anyMatch(turn -> turn.role() == Role.HUMAN
                                && SHOWN_IMAGE.matcher(turn.text()).find());
    }

    /** A record without a source and without a system prompt of its own. */
    public LlavaRecord(String id, List<String> images, List<Turn> turns) {
        this(id, images, "", turns, "");
    }

    /** The same record from another source. */
    public LlavaRecord withSource(String other) {
        return new LlavaRecord(id, images, system, turns, other);
    }

    /** The same record with other turns. */
    public LlavaRecord withTurns(List<Turn> other) {
        return new LlavaRecord(id, images, system, other, source);
    }
}
