package io.llava4j.train.data.raw;

import io.llava4j.train.data.raw.Annotation.Caption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/** COCO's captions: images and sentences about them. */
final class CocoCaptionsReader implements SourceReader {
    private static final Set<String> FIELDS = Set.of("image_id", "id", "caption");

    @Override
    public void read(SourceFiles files, Problems problems, Consumer<RawItem> out) {
        RawFile file = files.get("captions");
        Map<String, CocoImage> images = new HashMap<>();
        CocoImage.read(file, problems, images);
        RawJson.array(file, "annotations", FIELDS, problems, record -> {
            String id = record.id("image_id");
            CocoImage image = images.get(id);
            if (image == null) {
                throw new BadRecord("its image %s is not among the file's images".formatted(id));
            }
            out.accept(new RawItem(
                    id,
                    image.fileName(),
                    image.width(),
                    image.height(),
                    true,
                    List.of(new Caption(record.text("caption").strip(), List.of())),
                    record.file(),
                    record.index()));
        });
    }
}
