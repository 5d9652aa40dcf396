package io.llava4j.nano.benchmark;

import io.llava4j.nano.text.Annotators;
import io.llava4j.nano.text.Question;
import io.llava4j.nano.text.QuestionShares;
import io.llava4j.nano.text.Questions;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneSampler;
import io.llava4j.nano.world.SplitMix64;
import io.llava4j.text.ResponseFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** VizWiz, val: one question about each image; three of ten ask about what the image does not show. */
final class NanoVizWiz implements NanoBenchmark {
    private static final String NAME = "vizwiz";
    private static final int IMAGES = 100;

    @Override
    public Map<String, Integer> write(BenchmarkFolder folder) {
        SceneSampler sampler = folder.sampler(NAME, folder.scenes());
        Questions asker = new Questions(sampler.categories(), new QuestionShares(0.1, 0.2, 0.3, 0.1, 0.5, 0.5));
        List<Map<String, Object>> annotations = new ArrayList<>();
        List<Map<String, Object>> asked = new ArrayList<>();
        for (int i = 0; i < folder.scaled(IMAGES); i++) {
            SplitMix64 random = folder.random(NAME, i);
            Scene scene = sampler.scene(i);
            String image = "VizWiz_val_%08d.jpg".formatted(i);
            boolean answerable = i % 10 < 7;
            Question question = answerable ? answerable(asker, scene, random) : asker.unanswerable(scene, random);
            annotations.add(BenchmarkFolder.object(
                    "answers",
                    BenchmarkFolder.confident(Annotators.answers(question, random)),
                    "image",
                    image,
                    "question",
                    question.text(),
                    "answer_type",
                    answerable ? question.answerType() : Questions.UNANSWERABLE,
                    "answerable",
                    answerable ? 1 : 0));
            asked.add(BenchmarkFolder.question(
                    i, image, ResponseFormat.SHORT_OR_UNANSWERABLE.ask(question.text()), "default"));
            folder.draw(scene, NAME + "/val/" + image);
        }
        folder.json(NAME + "/val.json", annotations);
        folder.lines(NAME + "/llava_val.jsonl", asked);
        return Map.of(NAME, asked.size());
    }

    private static Question answerable(Questions asker, Scene scene, SplitMix64 random) {
        while (true) {
            List<Question> questions = asker.ask(scene, 1, () -> random.chance(0.5), random);
            if (!questions.isEmpty()) {
                return questions.getFirst();
            }
        }
    }
}
