package io.llava4j.eval.vqa;

import io.llava4j.DataException;
import io.llava4j.eval.format.JsonFiles;
import io.llava4j.eval.format.JsonRecord;
import io.llava4j.eval.format.PythonJson;
import io.llava4j.eval.format.QuestionId;
import io.llava4j.io.AtomicFiles;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Official VQA v2.0 files: questions, annotations, results. Large files are streamed. */
public final class VqaFiles {
    private VqaFiles() {}

    /**
     * A question of the official file.
     *
     * @param id the question's id
     * @param imageId COCO id of the image
     * @param question without any response-format prompt
     */
    public record VqaQuestion(QuestionId id, long imageId, String question) {}

    /**
     * A results file as uploaded to the server.
     *
     * @param answers by id; of two answers with one id, the last one at the position of the first
     * @param duplicates how many answers were overwritten by a later one
     */
    public record VqaResults(Map<QuestionId, String> answers, int duplicates) {}

    /** Reads {@code {questions: [{image_id, question, question_id}]}}. */
    public static List<VqaQuestion> readQuestions(Path file) {
        List<VqaQuestion> questions = new ArrayList<>();
        JsonFiles.arrays(file, (field, element) -> {
            if (field.equals("questions")) {
                questions.add(new VqaQuestion(
                        element.id("question_id"), element.integer("image_id"), element.text("question")));
            }
        });
        if (questions.isEmpty()) {
            throw new DataException(file + ": holds no 'questions'; is it the right file?");
        }
        return questions;
    }

    /** The file's {@code data_subtype}, for example {@code val2014}, which is part of the images' names. */
    public static String dataSubtype(Path file) {
        return JsonFiles.textField(file, "data_subtype");
    }

    /** Reads a whole annotation file, see {@link #annotations}. */
    public static List<VqaAnnotation> readAnnotations(Path file) {
        List<VqaAnnotation> annotations = new ArrayList<>();
        annotations(file, annotations::add);
        return annotations;
    }

    /**
     * Streams {@code {annotations: [{question_id, question_type, answer_type, answers: [{answer, …}]}]}}.
     *
     * @throws DataException naming file and record for a missing field, no answers, or an id annotated twice
     */
    public static void annotations(Path file, Consumer<VqaAnnotation> sink) {
        Set<QuestionId> seen = new HashSet<>();
        JsonFiles.arrays(file, (field, element) -> {
            if (field.equals("annotations")) {
                VqaAnnotation annotation = annotation(element);
                if (!seen.add(annotation.id())) {
                    throw new DataException("%s: question_id %s is annotated twice; ids must be unique"
                            .formatted(element.where(), annotation.id()));
                }
                sink.accept(annotation);
            }
        });
        if (seen.isEmpty()) {
            throw new DataException(file + ": holds no 'annotations'; is it the right file?");
        }
    }

    /** Reads {@code [{question_id, answer}]}. */
    public static VqaResults readResults(Path file) {
        Map<QuestionId, String> answers = new LinkedHashMap<>();
        int[] total = {0};
        JsonFiles.arrays(file, (field, element) -> {
            if (!field.isEmpty()) {
                throw new DataException(file + ": a VQA results file must be a JSON array of {question_id, answer}");
            }
            answers.put(element.id("question_id"), element.text("answer"));
            total[0]++;
        });
        return new VqaResults(answers, total[0] - answers.size());
    }

    /** Writes {@code [{question_id, answer}]} atomically, byte for byte as Python's {@code json.dump} would. */
    public static void writeResults(Path file, Map<QuestionId, String> answers) {
        AtomicFiles.write(file, PythonJson.dumps(records(answers)).getBytes(StandardCharsets.UTF_8));
    }

    /** The content of a results file. */
    public static List<Map<String, Object>> records(Map<QuestionId, String> answers) {
        List<Map<String, Object>> records = new ArrayList<>(answers.size());
        answers.forEach((id, answer) -> {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("question_id", id);
            entry.put("answer", answer);
            records.add(entry);
        });
        return records;
    }

    private static VqaAnnotation annotation(JsonRecord element) {
        List<VqaAnnotation.HumanAnswer> answers = new ArrayList<>();
        for (JsonRecord answer : element.objects("answers")) {
            @Nullable QuestionId id = answer.node().has("answer_id") ? answer.id("answer_id") : null;
            answers.add(
                    new VqaAnnotation.HumanAnswer(answer.text("answer"), answer.scalar("answer_confidence", ""), id));
        }
        if (answers.isEmpty()) {
            throw new DataException(element.where() + ": the question has no human answers");
        }
        return new VqaAnnotation(
                element.id("question_id"), element.text("question_type"), element.text("answer_type"), answers);
    }
}
