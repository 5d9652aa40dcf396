package io.llava4j.train.data.raw;

import io.llava4j.train.data.SkippedRecord;
import io.llava4j.train.data.raw.Annotation.Question;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** OCR-VQA: an object of book covers by key, each with its questions and answers; split 1 is for training. */
final class OcrVqaReader implements SourceReader {
    private static final Set<String> FIELDS = Set.of("questions", "answers", "split");
    private static final double TRAINING = 1;

    @Override
    public void read(SourceFiles files, Problems problems, Consumer<RawItem> out) {
        RawJson.keyed(files.get("annotations"), FIELDS, problems, record -> {
            List<String> questions = record.texts("questions");
            List<String> answers = record.texts("answers");
            if (questions.size() != answers.size()) {
                throw new BadRecord("it has %d questions but %d answers".formatted(questions.size(), answers.size()));
            }
            List<Question> asked = new ArrayList<>();
            for (int i = 0; i < questions.size(); i++) {
                if (questions.get(i).isBlank() || answers.get(i).isBlank()) {
                    problems.skip(new SkippedRecord(
                            record.file(),
                            record.index(),
                            record.key(),
                            "question %d or its answer is empty; only this pair is left out".formatted(i + 1)));
                } else {
                    asked.add(new Question(questions.get(i), List.of(answers.get(i)), null));
                }
            }
            if (asked.isEmpty()) {
                throw new BadRecord("it has no questions");
            }
            out.accept(new RawItem(
                    record.key(),
                    // Every image is saved with this extension, whatever its format
                    // (docs/reference/data.md#image-folders).
                    record.key() + ".jpg",
                    0,
                    0,
                    !record.has("split") || record.number("split") == TRAINING,
                    asked,
                    record.file(),
                    record.index()));
        });
    }
}
