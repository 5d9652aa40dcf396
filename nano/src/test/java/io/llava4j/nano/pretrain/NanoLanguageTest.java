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
import org.junit.jupiter.api.Test;

/** What the shipped nano language model is made for: it finds a name among the cells of a scene that it was not trained on. */
class NanoLanguageTest {
    private static final Path FOLDER = Path.of("..", "models", "nano-language");
    private static final int DRILLS = 48;

    @Test
    void theShippedModelLooksNamesUpInCellsOfScenes() {
        try (Checkpoint checkpoint = Checkpoint.open(FOLDER);
                Weights weights = Engine.scope("weights", () -> EngineWeights.weights(checkpoint.tensors(), "cpu"))) {
            TextConfig text = ((ModelKind.Llama) checkpoint.kind()).text();
            SentencePieceTokenizer tokenizer = SentencePieceTokenizer.load(checkpoint.tokenizerDir());
            try (LlamaModel languageModel = Engine.scope("languageModel", () -> new LlamaModel(text, weights))) {
                int right = 0;
                int asked = 0;
                SyntheticBatch drills = drills(tokenizer, text.hiddenSize());
                float[] logits = Engine.inference(
                        "drills",
                        () -> Tensors.toFloats(languageModel.logits(languageModel
                                .train(drills.embeds(languageModel), false, 1)
                                .hidden())));
                int[][] labels = drills.labels();
                int width = logits.length / labels.length / labels[0].length;
                for (int row = 0; row < labels.length; row++) {
                    for (int at = 1; at < labels[row].length; at++) {
                        if (labels[row][at] != Prompt.IGNORE_INDEX && labels[row][at] != tokenizer.eosId()) {
                            asked++;
                            int from = (row * labels[row].length + at - 1) * width;
                            right += best(logits, from, width) == labels[row][at] ? 1 : 0;
                        }
                    }
                }
                assertThat(asked).isGreaterThan(200);
                assertThat(right / (double) asked).isGreaterThan(0.95);
            }
        }
    }

    /** Noiseless, of another seed than the recipe's. */
    private static SyntheticBatch drills(SentencePieceTokenizer tokenizer, int hidden) {
        Sprites sprites = new Sprites(Drawings.load());
        NanoText corpus =
                new NanoText(sprites, SceneOptions.scenes(sprites.drawings().trainingSets()), 991);
        PromptBuilder prompts = new PromptBuilder(tokenizer, ConversationTemplate.V1);
        List<SyntheticBatch.Sample> samples = new ArrayList<>();
        for (int i = 0; i < DRILLS; i++) {
            NanoText.Conversation drill = corpus.existenceDrill(i);
            if (!drill.cells().isEmpty()) {
                samples.add(new SyntheticBatch.Sample(
                        "drill " + i, prompts.training(drill.turns(), 1, 512), drill.cells(), i));
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
