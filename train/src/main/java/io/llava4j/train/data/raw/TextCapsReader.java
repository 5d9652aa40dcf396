package io.llava4j.train.data.raw;

import io.llava4j.train.data.raw.Annotation.Caption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/** TextCaps: captions, and optionally (file {@code ocr}) the words that Rosetta read in the images. */
final class TextCapsReader implements SourceReader {
    private static final Set<String> CAPTION = Set.of("image_id", "caption_id", "caption_str", "set_name");
    private static final Set<String> OCR = Set.of("image_id", "ocr_tokens");

    @Override
    public void read(SourceFiles files, Problems problems, Consumer<RawItem> out) {
        Map<String, List<String>> words = new HashMap<>();
        files.find("ocr")
                .ifPresent(file -> RawJson.array(
                        file,
                        "data",
                        OCR,
                        problems,
                        record ->
                                // The file repeats an image for each question about it, always with the same words.
                                words.putIfAbsent(record.id("image_id"), record.texts("ocr_tokens"))));
        RawJson.array(files.get("captions"), "data", CAPTION, problems, record -> {
            String image = record.id("image_id");
            out.accept(new RawItem(
                    image,
                    image + ".jpg",
                    0,
                    0,
                    !record.has("set_name") || record.text("set_name").equals("train"),
                    List.of(new Caption(record.text("caption_str"), words.getOrDefault(image, List.of()))),
                    record.file(),
                    record.index()));
        });
    }
}
