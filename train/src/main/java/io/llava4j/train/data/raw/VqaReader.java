package io.llava4j.train.data.raw;

import io.llava4j.train.data.SkippedRecord;
import io.llava4j.train.data.raw.Annotation.Question;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/** VQAv2 and OKVQA: a file of questions and one of annotations, joined by question id. Images are COCO's of 2014. */
final class VqaReader implements SourceReader {
    private static final Set<String> QUESTION = Set.of("question_id", "image_id", "question");
    private static final Set<String> ANNOTATION = Set.of("question_id", "multiple_choice_answer", "answers");

    /** Answers to one question; {@code agreed} is empty where the file has none. */
    private record Answers(List<String> all, String agreed) {}

    @Override
    public void read(SourceFiles files, Problems problems, Consumer<RawItem> out) {
        Map<String, Answers> answers = new HashMap<>();
        Words words = new Words();
        RawJson.array(files.get("annotations"), "annotations", ANNOTATION, problems, annotation -> {
            List<String> all = new ArrayList<>();
            for (RawRecord answer : annotation.records("answers")) {
                all.add(words.same(answer.text("answer")));
            }
            String agreed = annotation.has("multiple_choice_answer") ? annotation.text("multiple_choice_answer") : "";
            if (all.isEmpty() && agreed.isEmpty()) {
                throw new BadRecord("it has no answer");
            }
            if (answers.putIfAbsent(annotation.id("question_id"), new Answers(words.same(all), words.same(agreed)))
                    != null) {
                throw new BadRecord("its question_id occurs twice");
            }
        });
        RawFile questions = files.get("questions");
        RawJson.array(questions, "questions", QUESTION, problems, question -> {
            String id = question.id("question_id");
            Answers found = answers.remove(id);
            if (found == null) {
                throw new BadRecord("question %s has no usable annotation, or is there twice".formatted(id));
            }
            String imageId = question.id("image_id");
            out.accept(new RawItem(
                    imageId,
                    CocoNames.of2014(imageId),
                    0,
                    0,
                    true,
                    List.of(new Question(
                            question.text("question"),
                            found.all(),
                            found.agreed().isEmpty() ? null : found.agreed())),
                    question.file(),
                    question.index()));
        });
        // Silence would hide that the two files do not belong together.
        answers.keySet().stream()
                .sorted()
                .forEach(id -> problems.skip(new SkippedRecord(
                        files.get("annotations").path().toString(),
                        -1,
                        id,
                        "its question is not in the questions file")));
    }

    /** Keeps one copy of equal texts: a million answers have few different words. */
    static final class Words {
        private final Map<String, String> texts = new HashMap<>();
        private final Map<List<String>, List<String>> lists = new HashMap<>();

        String same(String text) {
            String known = texts.putIfAbsent(text, text);
            return known == null ? text : known;
        }

        List<String> same(List<String> list) {
            List<String> copy = List.copyOf(list);
            List<String> known = lists.putIfAbsent(copy, copy);
            return known == null ? copy : known;
        }
    }
}
