package io.llava4j.train.data.raw;

import java.util.Map;
import java.util.Set;

/** An entry of {@code images} in a file in COCO's format. */
record CocoImage(String fileName, int width, int height) {
    private static final Set<String> FIELDS = Set.of("id", "file_name", "width", "height");

    static void read(RawFile file, Problems problems, Map<String, CocoImage> into) {
        RawJson.array(
                file,
                "images",
                FIELDS,
                problems,
                record -> into.put(
                        record.id("id"),
                        new CocoImage(record.text("file_name"), record.size("width"), record.size("height"))));
    }
}
