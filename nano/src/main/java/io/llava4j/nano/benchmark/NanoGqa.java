package io.llava4j.nano.benchmark;

import io.llava4j.nano.raw.NanoSplit;
import io.llava4j.nano.text.Question;
import io.llava4j.nano.text.Question.Kind;
import io.llava4j.nano.text.QuestionShares;
import io.llava4j.nano.text.Questions;
import io.llava4j.nano.text.Wording;
import io.llava4j.nano.world.Category;
import io.llava4j.nano.world.NamedColor;
import io.llava4j.nano.world.Place;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneObject;
import io.llava4j.nano.world.SceneSampler;
import io.llava4j.text.ResponseFormat;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/** GQA, balanced: many questions about each image, with a program, a type and valid answers for each. */
final class NanoGqa implements NanoBenchmark {
    private static final String NAME = "gqa";
    private static final int IMAGES = 24;
    private static final int QUESTIONS = 10;
    /** GQA has no counting questions. */
    private static final QuestionShares SHARES = new QuestionShares(0.4, 0, 0.2, 0.4, 0.4, 0.5);

    private static final String CHOOSE = " or ";

    @Override
    public Map<String, Integer> write(BenchmarkFolder folder) {
        SceneSampler sampler =
                folder.sampler(NAME, folder.scenes().withObjects(2, 5).withSigns(0));
        Questions asker = new Questions(sampler.categories(), SHARES);
        BooleanSupplier yes = new NanoSplit.Alternating();
        Map<String, Object> questions = new LinkedHashMap<>();
        Map<String, Object> choices = new LinkedHashMap<>();
        List<Map<String, Object>> asked = new ArrayList<>();
        for (int i = 0; i < folder.scaled(IMAGES); i++) {
            Scene scene = sampler.scene(i);
            String image = "n%06d".formatted(i + 1);
            int number = 0;
            for (Question question : asker.ask(scene, QUESTIONS, yes, folder.random(NAME, i))) {
                String id = "2%06d%02d".formatted(i + 1, number++);
                questions.put(id, record(id, image, question));
                choices.put(
                        id,
                        BenchmarkFolder.object(
                                "valid",
                                valid(question, sampler.categories()),
                                "plausible",
                                valid(question, present(scene))));
                asked.add(BenchmarkFolder.question(
                        id, image + ".jpg", ResponseFormat.SHORT.ask(question.text()), "default"));
            }
            folder.draw(scene, NAME + "/data/images/" + image + ".jpg");
        }
        folder.json(NAME + "/data/testdev_balanced_questions.json", questions);
        folder.json(NAME + "/data/testdev_balanced_choices.json", choices);
        folder.lines(NAME + "/llava_gqa_testdev_balanced.jsonl", asked);
        return Map.of(NAME, asked.size());
    }

    private static List<Category> present(Scene scene) {
        return scene.objects().stream().map(SceneObject::category).distinct().toList();
    }

    private static Map<String, Object> record(String id, String image, Question question) {
        String operation = operation(question);
        String argument = question.kind() == Kind.EXISTENCE
                ? question.topic()
                : question.kind().type();
        List<Object> program = List.of(
                BenchmarkFolder.object("operation", "select", "dependencies", List.of(), "argument", argument + " (1)"),
                BenchmarkFolder.object("operation", operation, "dependencies", List.of(0), "argument", "?"));
        return BenchmarkFolder.object(
                "semantic",
                program,
                "entailed",
                List.of(),
                "equivalent",
                List.of(id),
                "question",
                question.text(),
                "imageId",
                image,
                "isBalanced",
                true,
                "groups",
                BenchmarkFolder.object(
                        "global",
                        structure(question).equals("query") ? question.kind().type() : null,
                        "local",
                        question.kind().type() + "-" + argument),
                "answer",
                question.answer(),
                "semanticStr",
                "select: %s (1)->%s: ? [0]".formatted(argument, operation),
                "annotations",
                BenchmarkFolder.object("answer", Map.of(), "question", Map.of(), "fullAnswer", Map.of()),
                "types",
                BenchmarkFolder.object(
                        "detailed",
                        question.kind().type()
                                + Character.toUpperCase(structure(question).charAt(0)),
                        "semantic",
                        semantics(question),
                        "structural",
                        structure(question)),
                "fullAnswer",
                Wording.sentence(question.answer()));
    }

    private static String operation(Question question) {
        return switch (structure(question)) {
            case "verify" -> "exist";
            case "choose" -> "choose rel";
            default ->
                question.kind() == Kind.CATEGORY
                        ? "query: name"
                        : "query: " + question.kind().type();
        };
    }

    private static String structure(Question question) {
        if (question.kind() == Kind.EXISTENCE) {
            return "verify";
        }
        return question.text().contains(CHOOSE) ? "choose" : "query";
    }

    private static String semantics(Question question) {
        return switch (question.kind()) {
            case EXISTENCE, VERIFICATION, COUNT -> "obj";
            case COLOR, TEXT -> "attr";
            case POSITION -> "rel";
            case CATEGORY -> "cat";
        };
    }

    /** The valid answers for an image with these categories. */
    private static List<String> valid(Question question, List<Category> categories) {
        return switch (question.kind()) {
            case EXISTENCE, VERIFICATION -> List.of("yes", "no");
            case COLOR -> {
                List<String> colors = new ArrayList<>();
                NamedColor.TINTS.forEach(color -> colors.add(color.name()));
                NamedColor.BACKGROUNDS.forEach(color -> {
                    if (!colors.contains(color.name())) {
                        colors.add(color.name());
                    }
                });
                yield colors;
            }
            case POSITION ->
                question.text().contains("left or")
                        ? List.of("left", "right")
                        : question.text().contains("above or")
                                ? List.of("above", "below")
                                : List.of(Place.values()).stream()
                                        .map(Place::words)
                                        .toList();
            case CATEGORY -> categories.stream().map(Category::name).toList();
            case COUNT, TEXT -> List.of(question.answer());
        };
    }
}
