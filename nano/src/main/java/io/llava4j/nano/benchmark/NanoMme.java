package io.llava4j.nano.benchmark;

import io.llava4j.nano.text.QuestionShares;
import io.llava4j.nano.text.Questions;
import io.llava4j.nano.text.YesNoQuestions;
import io.llava4j.nano.text.YesNoQuestions.Subject;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneSampler;
import io.llava4j.nano.world.SplitMix64;
import io.llava4j.text.ResponseFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * MME: two questions about each image in fourteen categories, one to be answered yes and one no. Five categories keep
 * images and questions in folders of their own, as in the release. Celebrities, landmarks and code are replaced by
 * what the nano world has: names of things, buildings, a line of code about the image.
 */
final class NanoMme implements NanoBenchmark {
    private static final String NAME = "mme";
    private static final String RELEASE = NAME + "/MME_Benchmark_release_version/";
    private static final String REQUEST = " Please answer yes or no.";
    private static final int IMAGES = 8;

    /**
     * A category.
     *
     * @param apart whether images and questions have folders of their own
     * @param sign whether there is a sign in the images
     */
    private record Subtask(String name, boolean apart, boolean sign, Subject subject) {}

    private static final List<Subtask> SUBTASKS = List.of(
            new Subtask("existence", false, false, Subject.EXISTENCE),
            new Subtask("count", false, false, Subject.COUNT),
            new Subtask("position", false, false, Subject.POSITION),
            new Subtask("color", false, false, Subject.COLOR),
            new Subtask("posters", true, true, Subject.POSTER),
            new Subtask("celebrity", true, false, Subject.NAME),
            new Subtask("scene", true, false, Subject.BACKGROUND),
            new Subtask("landmark", true, false, Subject.BUILDING),
            new Subtask("artwork", true, false, Subject.ARTWORK),
            new Subtask("OCR", false, true, Subject.WORD),
            new Subtask("commonsense_reasoning", false, false, Subject.KIND),
            new Subtask("numerical_calculation", false, false, Subject.MORE),
            new Subtask("text_translation", false, false, Subject.TRANSLATION),
            new Subtask("code_reasoning", false, false, Subject.CODE));

    @Override
    public Map<String, Integer> write(BenchmarkFolder folder) {
        List<Map<String, Object>> asked = new ArrayList<>();
        for (Subtask subtask : SUBTASKS) {
            String stream = NAME + " " + subtask.name();
            SceneSampler sampler = folder.sampler(stream, folder.scenes().withSigns(subtask.sign() ? 1 : 0));
            Questions questions = new Questions(sampler.categories(), QuestionShares.DEFAULT);
            int images = 0;
            for (int i = 0; images < folder.scaled(IMAGES); i++) {
                Scene scene = sampler.scene(i);
                SplitMix64 random = folder.random(stream, i);
                YesNoQuestions.Pair pair = subtask.subject().ask(scene, questions, random);
                if (pair != null) {
                    String stem = "%04d".formatted(++images);
                    String image = subtask.name() + (subtask.apart() ? "/images/" : "/") + stem + ".jpg";
                    folder.draw(scene, RELEASE + image);
                    boolean yesFirst = random.chance(0.5);
                    String yes = pair.yes() + REQUEST + "\tYes\n";
                    String no = pair.no() + REQUEST + "\tNo\n";
                    folder.text(
                            RELEASE + subtask.name() + (subtask.apart() ? "/questions_answers_YN/" : "/") + stem
                                    + ".txt",
                            yesFirst ? yes + no : no + yes);
                    for (String text : yesFirst ? List.of(pair.yes(), pair.no()) : List.of(pair.no(), pair.yes())) {
                        asked.add(
                                BenchmarkFolder.question(image, image, ResponseFormat.SHORT.ask(text), subtask.name()));
                    }
                }
            }
        }
        folder.lines(NAME + "/llava_mme.jsonl", asked);
        return Map.of(NAME, asked.size());
    }
}
