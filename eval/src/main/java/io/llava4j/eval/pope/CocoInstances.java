package io.llava4j.eval.pope;

import io.llava4j.DataException;
import io.llava4j.eval.format.JsonFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads which objects are in which image from a COCO instances file. */
public final class CocoInstances {
    private CocoInstances() {}

    /**
     * Reads {@code {images: [{id, file_name}], annotations: [{image_id, category_id}], categories: [{id, name}]}}; the
     * parts may come in any order. Without {@code images} (excerpts) names are COCO's {@code %012d.jpg}. Crowd
     * annotations count: POPE asks whether an object is there, not how many.
     *
     * @return images with at least one object, in order of first annotation
     * @throws DataException naming file and record for a category or image that is not declared
     */
    public static List<ImageObjects> read(Path file) {
        Map<Long, String> names = new HashMap<>();
        Map<Long, String> images = new HashMap<>();
        Map<Long, Set<Long>> present = new LinkedHashMap<>();
        JsonFiles.arrays(file, (field, element) -> {
            switch (field) {
                case "categories" -> names.put(element.integer("id"), element.text("name"));
                case "images" -> images.put(element.integer("id"), element.text("file_name"));
                case "annotations" ->
                    present.computeIfAbsent(element.integer("image_id"), id -> new LinkedHashSet<>())
                            .add(element.integer("category_id"));
                default -> {
                    // licenses and the like
                }
            }
        });
        if (present.isEmpty() || names.isEmpty()) {
            throw new DataException(file + ": holds no annotations or no categories; is it a COCO instances file?");
        }
        List<ImageObjects> out = new ArrayList<>();
        present.forEach((id, categories) -> out.add(new ImageObjects(
                imageName(file, images, id),
                categories.stream().map(c -> categoryName(file, names, c)).toList())));
        return out;
    }

    private static String imageName(Path file, Map<Long, String> images, long id) {
        if (images.isEmpty()) {
            return "%012d.jpg".formatted(id);
        }
        String name = images.get(id);
        if (name == null) {
            throw new DataException("%s: image_id %d is annotated but not among the images".formatted(file, id));
        }
        return name;
    }

    private static String categoryName(Path file, Map<Long, String> names, long id) {
        String name = names.get(id);
        if (name == null || name.isEmpty()) {
            throw new DataException("%s: category_id %d has no name among the categories".formatted(file, id));
        }
        return name;
    }
}
