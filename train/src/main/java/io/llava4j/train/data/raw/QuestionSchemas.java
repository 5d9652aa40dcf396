package io.llava4j.train.data.raw;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Records of the raw files with questions or captions, with all fields of the original schemas (docs/reference/data.md#raw-schemas). */
public final class QuestionSchemas {
    private QuestionSchemas() {}

    /** A question of VQAv2 or OKVQA. */
    public static Map<String, Object> vqaQuestion(int questionId, int imageId, String question) {
        return RawSchemas.ordered("image_id", imageId, "question", question, "question_id", questionId);
    }

    /**
     * The annotation of a question.
     *
     * @param agreed VQAv2's multiple_choice_answer; empty for OKVQA
     * @param answers of ten people
     */
    public static Map<String, Object> vqaAnnotation(
            int questionId, int imageId, String questionType, String answerType, String agreed, List<String> answers) {
        List<Object> people = new ArrayList<>();
        for (String answer : answers) {
            Map<String, Object> person = RawSchemas.ordered("answer_id", people.size() + 1, "answer", answer);
            if (agreed.isEmpty()) {
                person.put("raw_answer", answer);
            }
            person.put("answer_confidence", "yes");
            people.add(person);
        }
        Map<String, Object> annotation = RawSchemas.ordered("question_type", questionType);
        if (!agreed.isEmpty()) {
            annotation.put("multiple_choice_answer", agreed);
        }
        annotation.put("answers", people);
        annotation.put("image_id", imageId);
        annotation.put("answer_type", answerType);
        annotation.put("question_id", questionId);
        return annotation;
    }

    /** A question of GQA; the file maps its id to it. */
    public static Map<String, Object> gqaQuestion(
            String imageId, String question, String answer, String fullAnswer, String type) {
        return RawSchemas.ordered(
                "semantic",
                List.of(
                        RawSchemas.ordered("operation", "select", "dependencies", List.of(), "argument", "thing (1)"),
                        RawSchemas.ordered("operation", "query", "dependencies", List.of(0), "argument", type)),
                "entailed",
                List.of(),
                "equivalent",
                List.of(),
                "question",
                question,
                "imageId",
                imageId,
                "isBalanced",
                true,
                "groups",
                RawSchemas.ordered("global", type, "local", type + "-thing"),
                "answer",
                answer,
                "semanticStr",
                "select: thing (1)->query: " + type + " [0]",
                "annotations",
                RawSchemas.ordered("answer", Map.of(), "question", Map.of(), "fullAnswer", Map.of()),
                "types",
                RawSchemas.ordered("detailed", type, "semantic", "attr", "structural", "query"),
                "fullAnswer",
                fullAnswer);
    }

    /** A book cover of OCR-VQA; the file maps its id to it. Split 1 is for training. */
    public static Map<String, Object> ocrVqaBook(
            String id,
            String title,
            String author,
            String genre,
            int split,
            List<String> questions,
            List<String> answers) {
        return RawSchemas.ordered(
                "imageURL",
                "http://ecx.images-amazon.com/images/I/" + id + ".jpg",
                "questions",
                questions,
                "answers",
                answers,
                "title",
                title,
                "authorName",
                author,
                "genre",
                genre,
                "split",
                split);
    }

    /** A question of A-OKVQA. */
    public static Map<String, Object> aOkvqaQuestion(
            String questionId, int imageId, String question, List<String> choices, int correct) {
        String answer = choices.get(correct);
        return RawSchemas.ordered(
                "split",
                "train",
                "image_id",
                imageId,
                "question_id",
                questionId,
                "question",
                question,
                "choices",
                choices,
                "correct_choice_idx",
                correct,
                "direct_answers",
                agreed(answer),
                "difficult_direct_answer",
                false,
                "rationales",
                List.of("It is " + answer + ".", "The answer is " + answer + ".", "One can see " + answer + "."));
    }

    /** A caption of TextCaps. */
    public static Map<String, Object> textCapsCaption(
            String imageId, int size, int captionId, String caption, List<String> references) {
        Map<String, Object> record = RawSchemas.ordered();
        record.putAll(openImage(imageId, List.of(), size));
        record.putAll(RawSchemas.ordered(
                "set_name",
                "train",
                "image_name",
                imageId,
                "image_path",
                "train/" + imageId + ".jpg",
                "caption_id",
                captionId,
                "caption_str",
                caption,
                "caption_tokens",
                List.of(caption.split(" ")),
                "reference_strs",
                references));
        return record;
    }

    /** A question of TextVQA's validation set to which all ten people give the same answer. */
    public static Map<String, Object> textVqaQuestion(
            String imageId, List<String> classes, int size, int questionId, String question, String answer) {
        Map<String, Object> record = RawSchemas.ordered("question", question);
        record.putAll(openImage(imageId, classes, size));
        record.putAll(RawSchemas.ordered(
                "answers",
                agreed(answer),
                "question_tokens",
                List.of(question.toLowerCase(Locale.ROOT).replace("?", "").split(" ")),
                "question_id",
                questionId,
                "set_name",
                "val"));
        return record;
    }

    /** The fields of a square image that TextCaps and TextVQA share. */
    private static Map<String, Object> openImage(String imageId, List<String> classes, int size) {
        return RawSchemas.ordered(
                "image_id",
                imageId,
                "image_classes",
                classes,
                "flickr_original_url",
                "",
                "flickr_300k_url",
                "",
                "image_width",
                size,
                "image_height",
                size);
    }

    /** Ten people's equal answers. */
    private static List<String> agreed(String answer) {
        return Collections.nCopies(10, answer);
    }

    /** The words that Rosetta read in an image. */
    public static Map<String, Object> rosetta(String imageId, List<String> words) {
        return RawSchemas.ordered("image_id", imageId, "ocr_tokens", words, "ocr_info", List.of());
    }
}
