package io.llava4j.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.ModelInput;
import io.llava4j.tensor.Engine;
import io.llava4j.text.ConversationTemplate;
import io.llava4j.text.Prompt;
import io.llava4j.text.PromptBuilder;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.text.Turn;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.recipe.TrainConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sequences that follow each other without padding train as padded ones do. */
class PackingTest {
    @TempDir
    private static Path root;

    private static TinyRun tiny;
    private static SentencePieceTokenizer tokenizer;

    @BeforeAll
    static void write() {
        tiny = new TinyRun(root);
        tokenizer = SentencePieceTokenizer.load(tiny.language());
    }

    private static Prompt prompt(String question, String answer, int images) {
        return new PromptBuilder(tokenizer, ConversationTemplate.V1)
                .training(List.of(Turn.human(question), Turn.assistant(answer)), images, TinyRun.MAX_LENGTH);
    }

    /** Cross-entropy of each supervised token, sequence after sequence. */
    private static List<float[]> losses(LlavaModel model, List<Prompt> prompts, boolean packed) {
        return Engine.inference("losses", () -> {
            List<PreparedImage> images = new ArrayList<>();
            SplittableRandom random = new SplittableRandom(5);
            float[] image = new float[3 * TinyRun.EDGE * TinyRun.EDGE];
            for (int i = 0; i < image.length; i++) {
                image[i] = (float) random.nextGaussian();
            }
            prompts.forEach(prompt -> {
                if (Arrays.stream(prompt.ids()).anyMatch(id -> id == Prompt.IMAGE_TOKEN_INDEX)) {
                    images.add(PreparedImage.of(image));
                }
            });
            LlavaModel.TrainingOutput output = model.train(
                    ModelInput.of(
                            prompts.stream().map(Prompt::ids).toList(),
                            prompts.stream().map(Prompt::labels).toList(),
                            images),
                    new LlavaModel.TrainingMode(false, packed, 0));
            int[][] labels = output.sequences().labels();
            float[] all = SequenceLoss.inOneGraph(model.llama(), output.pass().hidden(), labels)
                    .ofTokens()
                    .get();
            List<float[]> bySequence = new ArrayList<>();
            int at = 0;
            for (int[] sequence : labels) {
                int count = SequenceLoss.supervised(new int[][] {sequence});
                bySequence.add(Arrays.copyOfRange(all, at, at + count));
                at += count;
            }
            return bySequence;
        });
    }

    @Test
    void everySampleHasTheLossThatItHasAlone() {
        List<Prompt> prompts = List.of(
                prompt("<image>\nWhat colour is this?", "red and blue and green", 1),
                prompt("Is red a colour?", "yes", 0),
                prompt("<image>\nWhat?", "a white thing", 1));
        try (LlavaModel model = Objectives.start(tiny.recipe("finetune", "plain", "alone", Map.of()))
                .model()) {
            List<float[]> packed = losses(model, prompts, true);
            List<float[]> padded = losses(model, prompts, false);
            for (int i = 0; i < prompts.size(); i++) {
                float[] alone = losses(model, List.of(prompts.get(i)), true).getFirst();
                assertThat(packed.get(i)).containsExactly(alone, within(1e-5f));
                assertThat(packed.get(i)).containsExactly(padded.get(i), within(1e-5f));
            }
        }
    }

    /** The same positions and neighbours of other content: what a sample's tokens cost stays the same. */
    @Test
    void attentionDoesNotCrossSamples() {
        Prompt own = prompt("Is blue a colour?", "yes and a blue thing", 0);
        try (LlavaModel model = Objectives.start(tiny.recipe("finetune", "plain", "cross", Map.of()))
                .model()) {
            float[] with = losses(model, List.of(prompt("Is red a colour?", "yes", 0), own), true)
                    .get(1);
            float[] without = losses(model, List.of(prompt("Is blue a thing?", "red red", 0), own), true)
                    .get(1);
            assertThat(without).containsExactly(with, within(1e-6f));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void stepsHaveTheLossesAndGradientsOfPaddedOnes(boolean checkpointing) {
        Course packed = run("packed-" + checkpointing, checkpointing, true);
        Course padded = run("padded-" + checkpointing, checkpointing, false);
        for (int step = 0; step < 3; step++) {
            assertThat(packed.losses().get(step)).isCloseTo(padded.losses().get(step), within(1e-4));
        }
        assertThat(packed.gradients().getFirst())
                .containsExactly(padded.gradients().getFirst(), within(1e-5f));
    }

    private static Course run(String name, boolean checkpointing, boolean packing) {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("batch.per-device", "6");
        settings.put("schedule.max-steps", "3");
        settings.put("gradient-checkpointing", "" + checkpointing);
        settings.put("data.packing", "" + packing);
        TrainConfig config = tiny.recipe("finetune", "plain", name, settings);
        Course watched = new Course();
        try (Objective objective = Objectives.create(config)) {
            new Trainer(config, objective, Checkpoints.NONE, watched, () -> false).run(false);
        }
        return watched;
    }
}
