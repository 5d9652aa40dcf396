package io.llava4j.train.data.raw;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Records of raw files with all the fields of the original schemas (docs/reference/data.md#raw-schemas), also those that no reader needs. */
public final class RawSchemas {
    private RawSchemas() {}

    /** A question of VQAv2 or OKVQA. */
    public static Map<String, Object> vqaQuestion(int questionId, int imageId, String question) {
        return ordered("image_id", imageId, "question", question, "question_id", questionId);
    }

    /**
     * Its annotation.
     *
     * @param agreed VQAv2's multiple_choice_answer; empty for OKVQA, which has none
     * @param answers of ten people
     */
    public static Map<String, Object> vqaAnnotation(
            int questionId, int imageId, String questionType, String answerType, String agreed, List<String> answers) {
        List<Object> people = new ArrayList<>();
        for (String answer : answers) {
            Map<String, Object> person = ordered("answer_id", people.size() + 1, "answer", answer);
            if (agreed.isEmpty()) {
                person.put("raw_answer", answer);
            }
            person.put("answer_confidence", "yes");
            people.add(person);
        }
        Map<String, Object> annotation = ordered("question_type", questionType);
        if (!agreed.isEmpty()) {
            annotation.put("multiple_choice_answer", agreed);
        }
        annotation.put("answers", people);
        annotation.put("image_id", imageId);
        annotation.put("answer_type", answerType);
        annotation.put("question_id", questionId);
        return annotation;
    }

    /** A question of GQA, which stands under its id. */
    public static Map<String, Object> gqaQuestion(
            String imageId, String question, String answer, String fullAnswer, String type) {
        return ordered(
                "semantic",
                List.of(
                        ordered("operation", "select", "dependencies", List.of(), "argument", "thing (1)"),
                        ordered("operation", "query", "dependencies", List.of(0), "argument", type)),
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
                ordered("global", type, "local", type + "-thing"),
                "answer",
                answer,
                "semanticStr",
                "select: thing (1)->query: " + type + " [0]",
                "annotations",
                ordered("answer", Map.of(), "question", Map.of(), "fullAnswer", Map.of()),
                "types",
                ordered("detailed", type, "semantic", "attr", "structural", "query"),
                "fullAnswer",
                fullAnswer);
    }

    /** A book cover of OCR-VQA, which stands under its id; split 1 is for training. */
    public static Map<String, Object> ocrVqaBook(
            String id,
            String title,
            String author,
            String genre,
            int split,
            List<String> questions,
            List<String> answers) {
        return ordered(
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
        return ordered(
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
        Map<String, Object> record = ordered();
        record.putAll(openImage(imageId, List.of(), size));
        record.putAll(ordered(
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

    /** A question of TextVQA's validation set that ten people answer alike. */
    public static Map<String, Object> textVqaQuestion(
            String imageId, List<String> classes, int size, int questionId, String question, String answer) {
        Map<String, Object> record = ordered("question", question);
        record.putAll(openImage(imageId, classes, size));
        record.putAll(ordered(
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

    /** What TextCaps and TextVQA, which share their images, tell of a square one. */
    private static Map<String, Object> openImage(String imageId, List<String> classes, int size) {
        return ordered(
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

    /** The answers of ten people of one mind. */
    private static List<String> agreed(String answer) {
        return Collections.nCopies(10, answer);
    }

    /** The words Rosetta read from an image. */
    public static Map<String, Object> rosetta(String imageId, List<String> words) {
        return ordered("image_id", imageId, "ocr_tokens", words, "ocr_info", List.of());
    }

    /** A reference of RefCOCO: several people's words for one box. */
    public static Map<String, Object> reference(
            int refId, int annotationId, int imageId, int firstSentence, List<String> sentences) {
        List<Object> said = new ArrayList<>();
        List<Object> ids = new ArrayList<>();
        for (String sentence : sentences) {
            int id = firstSentence + said.size();
            ids.add(id);
            said.add(ordered("tokens", List.of(sentence.split(" ")), "raw", sentence, "sent_id", id, "sent", sentence));
        }
        return ordered(
                "sent_ids",
                ids,
                "file_name",
                CocoNames.of2014(Integer.toString(imageId)).replace(".jpg", "_" + annotationId + ".jpg"),
                "ann_id",
                annotationId,
                "ref_id",
                refId,
                "image_id",
                imageId,
                "split",
                "train",
                "sentences",
                said,
                "category_id",
                1);
    }

    /** An image in a file of COCO's form. */
    public static Map<String, Object> cocoImage(int imageId, int width, int height) {
        return ordered(
                "license",
                1,
                "file_name",
                CocoNames.of2014(Integer.toString(imageId)),
                "height",
                height,
                "width",
                width,
                "id",
                imageId);
    }

    /** A box in a file of COCO's form. */
    public static Map<String, Object> cocoBox(
            int annotationId, int imageId, double x, double y, double width, double height) {
        return ordered(
                "segmentation",
                List.of(List.of(x, y, x + width, y, x + width, y + height, x, y + height)),
                "area",
                width * height,
                "iscrowd",
                0,
                "image_id",
                imageId,
                "bbox",
                List.of(x, y, width, height),
                "category_id",
                1,
                "id",
                annotationId);
    }

    /** A region of Visual Genome. */
    public static Map<String, Object> region(
            int regionId, int imageId, String phrase, int x, int y, int width, int height) {
        return ordered(
                "region_id",
                regionId,
                "width",
                width,
                "height",
                height,
                "image_id",
                imageId,
                "phrase",
                phrase,
                "y",
                y,
                "x",
                x);
    }

    /** An image of Visual Genome; every other one lies in the second folder. */
    public static Map<String, Object> visualGenomeImage(int imageId, int width, int height) {
        return ordered(
                "width",
                width,
                "url",
                "https://cs.stanford.edu/people/rak248/" + visualGenomePath(imageId),
                "height",
                height,
                "image_id",
                imageId,
                "coco_id",
                imageId,
                "flickr_id",
                imageId);
    }

    /** Where the image of {@link #visualGenomeImage} lies. */
    public static String visualGenomePath(int imageId) {
        return (imageId % 2 == 0 ? "VG_100K/" : "VG_100K_2/") + imageId + ".jpg";
    }

    /** A conversation in LLaVA's or ShareGPT's form; {@code from} and {@code value} take turns. */
    public static Map<String, Object> conversation(String id, String image, List<String> fromAndValue) {
        List<Object> turns = new ArrayList<>();
        for (int i = 0; i < fromAndValue.size(); i += 2) {
            turns.add(ordered("from", fromAndValue.get(i), "value", fromAndValue.get(i + 1)));
        }
        Map<String, Object> record = ordered("id", id);
        if (!image.isEmpty()) {
            record.put("image", image);
        }
        record.put("conversations", turns);
        return record;
    }

    /** An object with its fields in this order, names and values in turns. */
    public static Map<String, Object> ordered(@Nullable Object... keysAndValues) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            map.put((String) keysAndValues[i], keysAndValues[i + 1]);
        }
        return map;
    }
}
