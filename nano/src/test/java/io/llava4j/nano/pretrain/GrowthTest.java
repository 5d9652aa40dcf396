package io.llava4j.nano.pretrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.ConfigException;
import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.model.ClipVisionTower;
import io.llava4j.model.Initializer;
import io.llava4j.model.LlamaModel;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.text.VocabularyTrainer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A grown model computes what it computed before. */
class GrowthTest {
    private static final double ROUNDING = 1e-5;

    @Test
    void aTowerWithMoreBlocksHasTheSameFeatures() {
        float[] pixels = pixels(32);
        VisionConfig small = vision(2, 32);
        try (Weights weights = random(new ModelKind.Clip(small))) {
            float[] before = features(small, weights, pixels);
            new Growth(weights, new Initializer(7)).tower(small, vision(4, 32));
            float[] after = features(vision(4, 32), weights, pixels);
            assertThat(after).containsExactly(before, within((float) ROUNDING));
        }
    }

    @Test
    void aTowerForLargerImagesKeepsItsClsAndTheMeanOfItsPositions() {
        String name = "model.vision_tower.vision_tower.vision_model.embeddings.position_embedding.weight";
        try (Weights weights = random(new ModelKind.Clip(vision(2, 32)))) {
            float[] before = Engine.inference("before", () -> Tensors.toFloats(weights.get(name)));
            Engine.scope("growing", () -> {
                new Growth(weights, new Initializer(7)).tower(vision(2, 32), vision(2, 64));
                return null;
            });
            float[] after = Engine.inference("after", () -> Tensors.toFloats(weights.get(name)));
            // Bilinear: each of the new corners is the old one.
            int width = 16;
            assertThat(after).hasSize((1 + 64) * width);
            for (int i = 0; i < width; i++) {
                assertThat(after[i]).isEqualTo(before[i]);
                assertThat(after[width + i]).isEqualTo(before[width + i], within((float) ROUNDING));
                assertThat(after[64 * width + i]).isEqualTo(before[16 * width + i], within((float) ROUNDING));
            }
        }
    }

    @Test
    void aLanguageModelWithMoreBlocksHasTheSameLogits() {
        TextConfig small = text(2);
        try (Weights weights = random(new ModelKind.Llama(small))) {
            float[] before = logits(small, weights);
            new Growth(weights, new Initializer(7)).language(small, text(3), List.of());
            assertThat(logits(text(3), weights)).containsExactly(before, within((float) ROUNDING));
        }
    }

    /** Old pieces have the logits that they had; a new one starts as the mean of what spelled it. */
    @Test
    void aLargerVocabularyLeavesTheLogitsOfTheOldOne() {
        TextConfig small = text(2);
        TextConfig large = small.withVocabSize(22);
        try (Weights weights = random(new ModelKind.Llama(small))) {
            float[] before = logits(small, weights);
            float[] table =
                    Engine.inference("before", () -> Tensors.toFloats(weights.get("model.embed_tokens.weight")));
            Engine.scope("growing", () -> {
                new Growth(weights, new Initializer(7))
                        .language(small, large, List.of(new int[] {4, 6}, new int[] {5}));
                return null;
            });
            float[] after = logits(large, weights);
            for (int position = 0; position < 4; position++) {
                float[] old = Arrays.copyOfRange(before, position * 20, (position + 1) * 20);
                float[] now = Arrays.copyOfRange(after, position * 22, (position + 1) * 22);
                assertThat(Arrays.copyOf(now, 20)).containsExactly(old, within((float) ROUNDING));
                assertThat(now[20]).isEqualTo((old[4] + old[6]) / 2, within((float) ROUNDING));
                assertThat(now[21]).isEqualTo(old[5], within((float) ROUNDING));
            }
            float[] grown = Engine.inference("after", () -> Tensors.toFloats(weights.get("model.embed_tokens.weight")));
            assertThat(grown).hasSize(22 * 16);
            for (int i = 0; i < 16; i++) {
                assertThat(grown[20 * 16 + i])
                        .isEqualTo((table[4 * 16 + i] + table[6 * 16 + i]) / 2, within((float) ROUNDING));
            }
        }
    }

    @Test
    void aNewPieceIsSpelledInTheTokensOfTheSmallerVocabulary(@TempDir Path dir) {
        SentencePieceTokenizer small =
                VocabularyTrainer.train(List.of("a cat and a mat", "a cat sat").iterator(), 270, dir.resolve("small"));
        SentencePieceTokenizer large =
                VocabularyTrainer.extend(dir.resolve("small"), List.of("a 猫猫").iterator(), 272, dir.resolve("large"));

        assertThat(large.piece(270)).isEqualTo("猫猫");
        assertThat(large.piece(271)).isEqualTo("猫");
        List<int[]> spellings = Growth.spellings(small, large, Map.of("猫猫", "cat"));
        assertThat(spellings).hasSize(2);
        // Bytes have the ids from 3 on.
        assertThat(spellings.getLast()).containsExactly(3 + 0xE7, 3 + 0x8C, 3 + 0xAB);
        assertThat(spellings.getFirst())
                .as("a translation, as a word inside a text")
                .containsExactly(small.encode("cat"));
        assertThatThrownBy(() -> Growth.spellings(large, small, Map.of()))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("does not begin with the pieces");
    }

    @Test
    void shapesThatDifferInMoreAreRefused() {
        try (Weights weights = random(new ModelKind.Llama(text(2)))) {
            Growth growth = new Growth(weights, new Initializer(7));
            assertThatThrownBy(() -> growth.language(text(2), text(1), List.of()))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("layers is 1, fewer than the 2");
            assertThatThrownBy(() -> growth.language(text(2), text(2).withVocabSize(99), List.of()))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("vocab-size is 99, but the tokenizer has 20 pieces");
            assertThatThrownBy(() ->
                            growth.tower(vision(2, 32), new VisionShape(24, 32, 2, 2, 32, 8, List.of()).toConfig()))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("more than layers and image-size");
        }
    }

    private static float[] features(VisionConfig config, Weights weights, float[] pixels) {
        return Engine.inference(
                "features",
                () -> Tensors.toFloats(new ClipVisionTower(config, weights)
                        .patchFeatures(Tensors.of(pixels, 1, 3, config.imageSize(), config.imageSize()))));
    }

    private static float[] logits(TextConfig config, Weights weights) {
        try (LlamaModel model = Engine.scope("model", () -> new LlamaModel(config, weights))) {
            return Engine.inference(
                    "logits",
                    () -> Tensors.toFloats(model.logits(model.train(
                                    model.embed(Tensors.of(new long[] {1, 5, 9, 3}, 1, 4)
                                            .to(Engine.device("cpu"), torch.ScalarType.Long)),
                                    false,
                                    1)
                            .hidden())));
        }
    }

    private static Weights random(ModelKind kind) {
        Weights weights = new Weights();
        Initializer initializer = new Initializer(3);
        ExpectedTensors.of(kind)
                .shapes()
                .forEach((name, shape) -> Engine.scope("filling", () -> {
                    initializer.fill(weights, name, shape);
                    return null;
                }));
        return weights;
    }

    private static float[] pixels(int edge) {
        Random random = new Random(5);
        float[] pixels = new float[3 * edge * edge];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = random.nextFloat();
        }
        return pixels;
    }

    private static VisionConfig vision(int layers, int imageSize) {
        return new VisionShape(16, 32, layers, 2, imageSize, 8, List.of()).toConfig();
    }

    private static TextConfig text(int layers) {
        return new TextShape(16, 32, layers, 2, 0, 20, 32, 10000, false).toConfig();
    }
}
