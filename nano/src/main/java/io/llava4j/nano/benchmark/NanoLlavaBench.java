package io.llava4j.nano.benchmark;

import io.llava4j.nano.text.Questions;
import io.llava4j.nano.text.SceneDescriptions;
import io.llava4j.nano.world.Place;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneObject;
import io.llava4j.nano.world.SceneSampler;
import io.llava4j.nano.world.SplitMix64;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * LLaVA-Bench in the wild: three questions about each image, one of each category, with a description of the image and
 * a right answer for the judge. The reference answers are in the file that holds GPT-4's in the original.
 */
final class NanoLlavaBench implements NanoBenchmark {
    private static final String NAME = "llava_bench";
    private static final int IMAGES = 20;
    private static final String JUDGE =
            "Two assistants answered a question about a picture that you know by the context"
                    + " only. Rate how helpful, relevant, accurate and detailed each answer is, from 1 to 10. Write the two"
                    + " numbers, first and second assistant's, on the first line with one space between them and nothing else;"
                    + " then explain.";

    /** A question with its right answer. */
    private record Asked(String category, String question, String answer) {}

    @Override
    public Map<String, Integer> write(BenchmarkFolder folder) {
        SceneSampler sampler = folder.sampler(NAME, folder.scenes());
        List<Map<String, Object>> questions = new ArrayList<>();
        List<Map<String, Object>> answers = new ArrayList<>();
        List<Map<String, Object>> contexts = new ArrayList<>();
        for (int i = 0; i < folder.scaled(IMAGES); i++) {
            Scene scene = sampler.scene(i);
            SplitMix64 random = folder.random(NAME, i);
            String image = "%03d.jpg".formatted(i + 1);
            contexts.add(BenchmarkFolder.object(
                    "id",
                    image,
                    "image",
                    image,
                    "caption",
                    SceneDescriptions.everything(scene) + " " + background(scene)));
            for (Asked asked : asked(scene, random)) {
                questions.add(BenchmarkFolder.question(questions.size(), image, asked.question(), asked.category()));
                answers.add(BenchmarkFolder.object(
                        "question_id",
                        answers.size(),
                        "prompt",
                        asked.question(),
                        "answer_id",
                        "nano%018d".formatted(answers.size()),
                        "text",
                        asked.answer(),
                        "model_id",
                        "nano-truth",
                        "metadata",
                        Map.of()));
            }
            folder.draw(scene, NAME + "/images/" + image);
        }
        folder.lines(NAME + "/questions.jsonl", questions);
        folder.lines(NAME + "/answers_gpt4.jsonl", answers);
        folder.lines(NAME + "/context.jsonl", contexts);
        Map<String, Object> rule = BenchmarkFolder.object("role", "Assistant", "prompt", JUDGE);
        folder.json(
                NAME + "/rule.json",
                BenchmarkFolder.object(
                        "llava_bench_conv", rule, "llava_bench_detail", rule, "llava_bench_complex", rule));
        return Map.of(NAME, questions.size());
    }

    private static List<Asked> asked(Scene scene, SplitMix64 random) {
        SceneObject object = random.pick(scene.objects());
        String name = object.category().name();
        boolean placed = Questions.isUnique(scene, object) && Place.isClear(object.box());
        Asked simple = placed
                ? new Asked(
                        "conv",
                        "Can you tell me where the " + name + " is?",
                        "The " + name + " is " + Place.of(object.box()).phrase() + " of the image.")
                : new Asked("conv", "What can you see?", SceneDescriptions.everything(scene));
        return List.of(
                simple,
                new Asked(
                        "detail", "Describe the image.", SceneDescriptions.everything(scene) + " " + background(scene)),
                new Asked(
                        "complex",
                        "What is in the picture, and what does the background look like?",
                        SceneDescriptions.everything(scene) + " " + background(scene)));
    }

    private static String background(Scene scene) {
        return "The background is " + scene.background().color().name() + ".";
    }
}
