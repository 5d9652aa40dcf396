package io.llava4j.nano.raw;

import static io.llava4j.train.data.raw.RawSchemas.ordered;

import io.llava4j.nano.text.Annotators;
import io.llava4j.nano.text.Captions;
import io.llava4j.nano.text.Question;
import io.llava4j.nano.text.Question.Kind;
import io.llava4j.nano.text.QuestionShares;
import io.llava4j.nano.text.Questions;
import io.llava4j.nano.text.Wording;
import io.llava4j.nano.world.Category;
import io.llava4j.nano.world.Extent;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneObject;
import io.llava4j.nano.world.SceneOptions;
import io.llava4j.nano.world.SceneSampler;
import io.llava4j.nano.world.SplitMix64;
import io.llava4j.nano.world.Sprites;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/**
 * Images with questions, annotations and captions for evaluation, in the formats of VQAv2 and COCO
 * (docs/reference/data.md#raw-schemas).
 * Image ids count from 1; file names are COCO's {@code %012d.jpg}.
 */
public final class NanoSplit {
    private static final int CAPTIONS_PER_IMAGE = 5;

    private final String name;
    private final long seed;
    private final int imageSize;
    private final SceneSampler sampler;
    private final List<Scene> scenes = new ArrayList<>();

    /**
     * @param name of the split; other names give other scenes
     * @param sets icon sets of the drawings
     * @param count number of images
     */
    NanoSplit(String name, Sprites sprites, List<String> sets, int count, NanoWorldOptions options) {
        this(
                name,
                options.seed(),
                options.imageSize(),
                new SceneSampler(sprites, SceneOptions.evaluation(sets), seed(options.seed(), name)));
        for (int i = 0; i < count; i++) {
            scenes.add(sampler.scene(i));
        }
    }

    private NanoSplit(String name, long seed, int imageSize, SceneSampler sampler) {
        this.name = name;
        this.seed = seed;
        this.imageSize = imageSize;
        this.sampler = sampler;
    }

    /** Scenes chosen from those of a sampler. */
    public static NanoSplit of(String name, long seed, int imageSize, SceneSampler sampler, List<Scene> scenes) {
        NanoSplit split = new NanoSplit(name, seed, imageSize, sampler);
        split.scenes.addAll(scenes);
        return split;
    }

    /** The seed of the scenes of a split. */
    public static long seed(long seed, String split) {
        return SplitMix64.of(seed, split, 0).nextLong();
    }

    List<Scene> scenes() {
        return scenes;
    }

    static String fileName(int index) {
        return "%012d.jpg".formatted(index + 1);
    }

    /** The two files of VQAv2: questions and annotations. */
    public record Vqa(Map<String, Object> questions, Map<String, Object> annotations) {}

    /** Existence questions alternate between yes and no over the whole split. */
    public Vqa vqa(int questionsPerImage, QuestionShares shares) {
        Questions writer = new Questions(sampler.categories(), shares);
        BooleanSupplier alternating = new Alternating();
        List<Object> questions = new ArrayList<>();
        List<Object> annotations = new ArrayList<>();
        for (int i = 0; i < scenes.size(); i++) {
            SplitMix64 random = SplitMix64.of(seed, name + " questions", i);
            int number = 0;
            for (Question question : writer.ask(scenes.get(i), questionsPerImage, alternating, random)) {
                int id = (i + 1) * 100 + number++;
                questions.add(ordered("question_id", id, "image_id", i + 1, "question", question.text()));
                annotations.add(ordered(
                        "question_id",
                        id,
                        "image_id",
                        i + 1,
                        "question_type",
                        question.kind().type(),
                        "answer_type",
                        question.answerType(),
                        "multiple_choice_answer",
                        question.answer(),
                        "answers",
                        answers(question, random)));
            }
        }
        return new Vqa(ordered("questions", questions), ordered("annotations", annotations));
    }

    /** Alternates: yes, no, yes, no … */
    public static final class Alternating implements BooleanSupplier {
        private boolean next = true;

        @Override
        public boolean getAsBoolean() {
            next = !next;
            return !next;
        }
    }

    private static List<Object> answers(Question question, SplitMix64 random) {
        List<Object> answers = new ArrayList<>();
        for (String answer : Annotators.answers(question, random)) {
            answers.add(ordered("answer", answer, "answer_confidence", "yes", "answer_id", answers.size() + 1));
        }
        return answers;
    }

    /** COCO's instances file; boxes in pixels, and the icon set of each drawing as an extra field. */
    public Map<String, Object> instances() {
        Map<String, Integer> ids = new LinkedHashMap<>();
        List<Object> categories = new ArrayList<>();
        for (Category category : sampler.categories()) {
            ids.put(category.name(), ids.size() + 1);
            categories.add(
                    ordered("id", ids.size(), "name", category.name(), "supercategory", category.supercategory()));
        }
        List<Object> annotations = new ArrayList<>();
        for (int i = 0; i < scenes.size(); i++) {
            for (SceneObject object : scenes.get(i).objects()) {
                Extent box = object.box();
                double width = pixels(box.width());
                double height = pixels(box.height());
                annotations.add(ordered(
                        "id",
                        annotations.size() + 1,
                        "image_id",
                        i + 1,
                        "category_id",
                        ids.getOrDefault(object.category().name(), 0),
                        "bbox",
                        List.of(pixels(box.left()), pixels(box.top()), width, height),
                        "area",
                        Math.rint(width * height * 100) / 100,
                        "iscrowd",
                        0,
                        "set",
                        object.set()));
            }
        }
        return ordered("images", images(), "annotations", annotations, "categories", categories);
    }

    private double pixels(double share) {
        return Math.rint(share * imageSize * 100) / 100;
    }

    /** COCO's captions file. */
    Map<String, Object> captions() {
        List<Object> annotations = new ArrayList<>();
        for (int i = 0; i < scenes.size(); i++) {
            SplitMix64 random = SplitMix64.of(seed, name + " captions", i);
            for (int k = 0; k < CAPTIONS_PER_IMAGE; k++) {
                annotations.add(ordered(
                        "image_id",
                        i + 1,
                        "id",
                        annotations.size() + 1,
                        "caption",
                        Wording.sentence(Captions.caption(scenes.get(i), random))));
            }
        }
        return ordered("images", images(), "annotations", annotations);
    }

    private List<Object> images() {
        List<Object> images = new ArrayList<>();
        for (int i = 0; i < scenes.size(); i++) {
            images.add(ordered("id", i + 1, "file_name", fileName(i), "width", imageSize, "height", imageSize));
        }
        return images;
    }

    /** Number of questions of each kind, for the manifest. */
    static Map<String, Integer> countByKind(Vqa vqa) {
        Map<String, Integer> counts = new LinkedHashMap<>();
        for (Kind kind : Kind.values()) {
            counts.put(kind.type(), 0);
        }
        if (vqa.annotations().get("annotations") instanceof List<?> annotations) {
            for (Object annotation : annotations) {
                if (annotation instanceof Map<?, ?> fields && fields.get("question_type") instanceof String type) {
                    counts.merge(type, 1, Integer::sum);
                }
            }
        }
        return counts;
    }
}
