package io.llava4j.nano.pretrain;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.generate.EngineWeights;
import io.llava4j.model.LlamaModel;
import io.llava4j.model.config.TextConfig;
import io.llava4j.nano.world.Drawings;
import io.llava4j.nano.world.SceneOptions;
import io.llava4j.nano.world.Sprites;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.text.ConversationTemplate;
import io.llava4j.text.Prompt;
import io.llava4j.text.PromptBuilder;
import io.llava4j.text.SentencePieceTokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/** What the shipped nano language model is made for: it finds a name among the cells of a scene that it was not trained on. */
class NanoLanguageTest {
    private static final Path FOLDER = Path.of("..", "models", "nano-language");
    private static final Path PLUS = Path.of("..", "models", "nano-plus-language");
    private static final int CONVERSATIONS = 48;

    @Test
    void theShippedModelLooksNamesUpInCellsOfScenes() {
        Score drills = score(FOLDER, NanoText::existenceDrill, 512, answer -> true);
        assertThat(drills.asked()).isGreaterThan(200);
        assertThat(drills.accuracy()).isGreaterThan(0.95);
    }

    @Test
    void nanoPlusChoosesLetters() {
        Score letters = score(PLUS, NanoText::instructionForms, 1024, answer -> answer.matches("[A-D]"));
        assertThat(letters.asked()).isGreaterThan(60);
        assertThat(letters.accuracy()).isGreaterThan(0.5);
    }

    /** Answers of a kind and how many of them the model would have given. */
    private record Score(int asked, int right) {
        double accuracy() {
            return right / (double) asked;
        }
    }

    /** The accuracy of the answers' single tokens in conversations of another seed than the recipes', without noise. */
    private static Score score(
            Path folder,
            BiFunction<NanoText, Long, NanoText.Conversation> kind,
            int maxLength,
            Predicate<String> answers) {
        try (Checkpoint checkpoint = Checkpoint.open(folder);
                Weights weights = Engine.scope("weights", () -> EngineWeights.weights(checkpoint.tensors(), "cpu"))) {
            TextConfig text = ((ModelKind.Llama) checkpoint.kind()).text();
            SentencePieceTokenizer tokenizer = SentencePieceTokenizer.load(checkpoint.tokenizerDir());
            try (LlamaModel languageModel = Engine.scope("languageModel", () -> new LlamaModel(text, weights))) {
                int right = 0;
                int asked = 0;
                SyntheticBatch batch = batch(tokenizer, text.hiddenSize(), kind, maxLength);
                float[] logits = Engine.inference(
                        "answers",
                        () -> Tensors.toFloats(languageModel.logits(languageModel
                                .train(batch.embeds(languageModel), false, 1)
                                .hidden())));
                int[][] labels = batch.labels();
                int width = logits.length / labels.length / labels[0].length;
                for (int row = 0; row < labels.length; row++) {
                    for (int at = 1; at < labels[row].length; at++) {
                        int label = labels[row][at];
                        if (label != Prompt.IGNORE_INDEX
                                && label != tokenizer.eosId()
                                && answers.test(tokenizer
                                        .decode(new int[] {label}, true)
                                        .strip())) {
                            asked++;
                            int from = (row * labels[row].length + at - 1) * width;
                            right += best(logits, from, width) == label ? 1 : 0;
                        }
                    }
                }
                return new Score(asked, right);
            }
        }
    }

    private static SyntheticBatch batch(
            SentencePieceTokenizer tokenizer,
            int hidden,
            BiFunction<NanoText, Long, NanoText.Conversation> kind,
            int maxLength) {
        Sprites sprites = new Sprites(Drawings.load());
        NanoText corpus =
                new NanoText(sprites, SceneOptions.scenes(sprites.drawings().trainingSets()), 991);
        PromptBuilder prompts = new PromptBuilder(tokenizer, ConversationTemplate.V1);
        List<SyntheticBatch.Sample> samples = new ArrayList<>();
        for (long i = 0; i < CONVERSATIONS; i++) {
            NanoText.Conversation conversation = kind.apply(corpus, i);
            if (!conversation.cells().isEmpty()) {
                samples.add(new SyntheticBatch.Sample(
                        "conversation " + i,
                        prompts.training(conversation.turns(), 1, maxLength),
                        conversation.cells(),
                        i));
            }
        }
        return new SyntheticBatch(samples, tokenizer, hidden, 0);
    }

    private static int best(float[] logits, int from, int width) {
        int best = 0;
        for (int i = 1; i < width; i++) {
            best = logits[from + i] > logits[from + best] ? i : best;
        }
        return best;
    }
}
