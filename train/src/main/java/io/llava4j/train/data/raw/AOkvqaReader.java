package io.llava4j.train.data.raw;

import io.llava4j.train.data.raw.Annotation.Choice;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** A-OKVQA: multiple-choice questions about COCO's images of 2017. */
final class AOkvqaReader implements SourceReader {
    private static final Set<String> FIELDS =
            Set.of("split", "image_id", "question_id", "question", "choices", "correct_choice_idx");
    private static final int MAX_OPTIONS = 26;

    @Override
    public void read(SourceFiles files, Problems problems, Consumer<RawItem> out) {
        RawJson.array(files.get("annotations"), "annotations", FIELDS, problems, record -> {
            boolean training = !record.has("split") || record.text("split").equals("train");
            List<String> options = record.texts("choices");
            double correct = record.number("correct_choice_idx");
            if (options.size() < 2 || options.size() > MAX_OPTIONS) {
                throw new BadRecord("it has %d choices, not 2 to %d".formatted(options.size(), MAX_OPTIONS));
            }
            if (options.stream().anyMatch(String::isBlank) || new HashSet<>(options).size() < options.size()) {
                throw new BadRecord("a choice is empty or occurs twice");
            }
            if (correct != Math.rint(correct) || correct < 0 || correct >= options.size()) {
                throw new BadRecord("its correct_choice_idx is not the index of a choice");
            }
            String imageId = record.id("image_id");
            out.accept(new RawItem(
                    imageId,
                    CocoNames.of2017(imageId),
                    0,
                    0,
                    training,
                    List.of(new Choice(record.text("question"), options, (int) correct)),
                    record.file(),
                    record.index()));
        });
    }
}
