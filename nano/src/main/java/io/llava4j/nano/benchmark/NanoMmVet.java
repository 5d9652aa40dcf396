package io.llava4j.nano.benchmark;

import io.llava4j.nano.text.Questions;
import io.llava4j.nano.text.Wording;
import io.llava4j.nano.world.Kinds;
import io.llava4j.nano.world.NamedColor;
import io.llava4j.nano.world.Place;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneObject;
import io.llava4j.nano.world.SceneSampler;
import io.llava4j.nano.world.Sign;
import io.llava4j.nano.world.SignFont;
import io.llava4j.nano.world.SplitMix64;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** MM-Vet: open questions that need one capability or several, with the parts of the ground truth joined by AND and OR. */
final class NanoMmVet implements NanoBenchmark {
    private static final String NAME = "mm_vet";
    private static final int PER_TASK = 8;
    private static final String AND = "<AND>";
    private static final String OR = "<OR>";
    private static final String PROMPT = """
            Compare the truth with what was predicted and grade the prediction from 0.0 (all wrong) to 1.0 (all right). \
            <AND> in the truth joins parts that must all be there, each counting alike; <OR> joins ways to say the same. \
            Fill in the last grade.

            Question | Truth | Prediction | Grade
            --- | --- | --- | ---
            What is in the picture? | cat <AND> dog | There is a cat in the picture. | 0.5
            How many objects are there in the image? | 2 <OR> two | There are two objects. | 1.0
            Can you read the sign? | stop | The sign says open. | 0.0""";

    /** A question with its ground truth. */
    private record Asked(String question, String answer) {}

    /** Asks about a scene; null if it allows no question. */
    private interface Asker {
        @Nullable
        Asked ask(Scene scene, SplitMix64 random);
    }

    private record Task(List<String> capabilities, boolean sign, Asker asker) {}

    private static final List<Task> TASKS = List.of(
            new Task(
                    List.of("rec", "gen"),
                    false,
                    (scene, random) -> new Asked("What is in the picture?", things(scene))),
            new Task(List.of("rec", "spat"), false, NanoMmVet::place),
            new Task(List.of("rec"), false, NanoMmVet::color),
            new Task(List.of("ocr"), true, (scene, random) -> new Asked("Can you read the sign?", word(scene))),
            new Task(
                    List.of("rec", "math"),
                    false,
                    (scene, random) -> new Asked(
                            "How many objects are there in the image?",
                            number(scene.objects().size()))),
            new Task(List.of("rec", "know"), false, NanoMmVet::kind),
            new Task(
                    List.of("rec", "ocr", "gen"),
                    true,
                    (scene, random) -> new Asked(
                            "What does the sign say, and what else is in the picture?",
                            word(scene) + AND + things(scene))));

    @Override
    public Map<String, Integer> write(BenchmarkFolder folder) {
        Map<String, Object> samples = new LinkedHashMap<>();
        List<Map<String, Object>> asked = new ArrayList<>();
        for (Task task : TASKS) {
            String stream = NAME + " " + TASKS.indexOf(task);
            SceneSampler sampler = folder.sampler(stream, folder.scenes().withSigns(task.sign() ? 1 : 0));
            int count = 0;
            for (int i = 0; count < folder.scaled(PER_TASK); i++) {
                Scene scene = sampler.scene(i);
                Asked one = task.asker().ask(scene, folder.random(stream, i));
                if (one != null) {
                    count++;
                    int number = samples.size();
                    String image = "v1_%d.png".formatted(number);
                    samples.put(
                            "v1_" + number,
                            BenchmarkFolder.object(
                                    "imagename",
                                    image,
                                    "question",
                                    one.question(),
                                    "answer",
                                    one.answer(),
                                    "capability",
                                    task.capabilities(),
                                    "imagesource",
                                    "nano"));
                    asked.add(BenchmarkFolder.question(number, image, one.question(), "conv"));
                    folder.draw(scene, NAME + "/images/" + image);
                }
            }
        }
        folder.json(NAME + "/mm-vet.json", samples);
        folder.lines(NAME + "/llava-mm-vet.jsonl", asked);
        folder.text(NAME + "/mm-vet-prompt.txt", PROMPT);
        return Map.of(NAME, samples.size());
    }

    /** All objects, one part per category. */
    private static String things(Scene scene) {
        return scene.objects().stream()
                .map(SceneObject::category)
                .distinct()
                .map(category -> category.name().equals(category.plural())
                        ? category.name()
                        : category.name() + OR + category.plural())
                .collect(Collectors.joining(AND));
    }

    private static String word(Scene scene) {
        Sign sign = scene.sign();
        return sign == null ? "" : SignFont.read(sign.word());
    }

    private static String number(int count) {
        return count + OR + Wording.number(count);
    }

    private static @Nullable Asked place(Scene scene, SplitMix64 random) {
        SceneObject object = random.pick(scene.objects());
        if (!Questions.isUnique(scene, object) || !Place.isClear(object.box())) {
            return null;
        }
        return new Asked(
                "Can you tell me where the " + object.category().name() + " is?",
                Place.of(object.box()).words());
    }

    private static @Nullable Asked color(Scene scene, SplitMix64 random) {
        SceneObject object = random.pick(scene.objects());
        NamedColor tint = object.tint();
        return tint == null || !Questions.isUnique(scene, object)
                ? null
                : new Asked("Tell me the color of the " + object.category().name() + ".", tint.name());
    }

    private static @Nullable Asked kind(Scene scene, SplitMix64 random) {
        SceneObject object = random.pick(scene.objects());
        String group = object.category().supercategory();
        return !Questions.isOnlyOfItsGroup(scene, object) || !Kinds.isNamed(group)
                ? null
                : new Asked(
                        "What " + Kinds.of(group).singular() + " is in the picture?",
                        object.category().name());
    }
}
