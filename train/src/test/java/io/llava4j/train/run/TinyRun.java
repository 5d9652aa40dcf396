package io.llava4j.train.run;

import io.llava4j.checkpoint.CheckpointWriter;
import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.model.Initializer;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.text.VocabularyTrainer;
import io.llava4j.train.recipe.RecipeLoader;
import io.llava4j.train.recipe.TrainConfig;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import javax.imageio.ImageIO;
import tools.jackson.databind.json.JsonMapper;

/**
 * All that a run needs, in one folder and tiny: two towers (CLIP's patches, a convolutional stem), a language model of
 * two blocks, a vocabulary, 24 images with questions and 12 conversations without.
 */
public final class TinyRun {
    public static final int EDGE = 16;
    public static final int MAX_LENGTH = 200;

    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String[] COLOURS = {"red", "green", "blue", "white", "black", "yellow"};

    private final Path root;
    private int vocabulary;

    public TinyRun(Path root) {
        this.root = root;
        try {
            write();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public Path language() {
        return root.resolve("language");
    }

    /** A language model whose rows blocks of 32 divide. */
    public Path wideLanguage() {
        Path folder = root.resolve("wide-language");
        if (!Files.exists(folder)) {
            save(folder, new ModelKind.Llama(textOf(32, vocabulary)));
        }
        return folder;
    }

    /** A language model whose head is the table of its token embeddings. */
    public Path tiedLanguage() {
        Path folder = root.resolve("tied-language");
        if (!Files.exists(folder)) {
            save(folder, new ModelKind.Llama(textOf(16, vocabulary, true)));
        }
        return folder;
    }

    public Path tower(String patches) {
        return root.resolve("tower-" + patches);
    }

    public Path images() {
        return root.resolve("images");
    }

    /**
     * A recipe of 10 steps of 2 x 2 samples; an epoch has 9.
     *
     * @param stage {@code pretrain} or {@code finetune}
     * @param patches {@code plain} or {@code stem}
     * @param output folder of the run, below the root
     * @param overrides of single keys
     */
    public TrainConfig recipe(String stage, String patches, String output, Map<String, String> overrides) {
        String data = "json: %s\n  images: %s".formatted(root.resolve(stage + ".json"), images());
        return recipe(stage, patches, output, data, overrides);
    }

    /** The same recipe of stage finetune on several data sets, in YAML's braces and separated by commas. */
    public TrainConfig recipeOfSets(String output, String sets, Map<String, String> overrides) {
        return recipe("finetune", "plain", output, "sets: [" + sets + "]", overrides);
    }

    private TrainConfig recipe(
            String stage, String patches, String output, String data, Map<String, String> overrides) {
        String yaml = """
                stage: %s
                output: %s
                threads: 2
                model:
                  vision-tower: %s
                  language-model: %s
                data:
                  %s
                  max-length: %d
                  workers: 2
                optimizer:
                  learning-rate: 0.01
                  max-grad-norm: 1.0
                schedule:
                  max-steps: 10
                batch:
                  per-device: 2
                  accumulation: 2
                checkpoint:
                  every-steps: 3
                """.formatted(stage, root.resolve(output), tower(patches), language(), data, MAX_LENGTH);
        try {
            Path file = Files.writeString(root.resolve(output + ".yaml"), yaml);
            return new RecipeLoader().load(file, overrides, Map.of());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A data file of these records. */
    public Path data(String name, List<Map<String, Object>> records) {
        try {
            return Files.writeString(root.resolve(name), JSON.writeValueAsString(records));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A record in LLaVA's format, with an image if {@code image} is not empty. */
    public static Map<String, Object> record(String id, String image, String question, String answer) {
        Map<String, Object> record = new LinkedHashMap<>();
        record.put("id", id);
        if (!image.isEmpty()) {
            record.put("image", image);
        }
        record.put(
                "conversations",
                List.of(Map.of("from", "human", "value", question), Map.of("from", "gpt", "value", answer)));
        return record;
    }

    private void write() throws IOException {
        SentencePieceTokenizer tokenizer = VocabularyTrainer.train(texts().iterator(), 400, root.resolve("vocabulary"));
        vocabulary = tokenizer.vocabSize();
        save(language(), new ModelKind.Llama(textOf(16, vocabulary)));
        save(
                tower("plain"),
                new ModelKind.Clip(new VisionConfig(16, 32, 2, 2, EDGE, 8, 1e-5, "quick_gelu", List.of())));
        save(
                tower("stem"),
                new ModelKind.Clip(new VisionConfig(16, 32, 2, 2, EDGE, 8, 1e-5, "quick_gelu", List.of(8, 8, 16))));

        Files.createDirectories(images());
        List<Map<String, Object>> finetune = new ArrayList<>();
        List<Map<String, Object>> pretrain = new ArrayList<>();
        Random random = new Random(3);
        for (int i = 0; i < 24; i++) {
            String image = "image-" + i + ".png";
            BufferedImage pixels = new BufferedImage(20, 14, BufferedImage.TYPE_INT_RGB);
            for (int at = 0; at < 20 * 14; at++) {
                pixels.setRGB(at % 20, at / 20, random.nextInt(0x1000000));
            }
            ImageIO.write(pixels, "png", images().resolve(image).toFile());
            String colour = COLOURS[i % COLOURS.length];
            finetune.add(record("p" + i, image, "<image>\nWhat colour is this?", colour + " and ".repeat(i % 3)));
            pretrain.add(record("c" + i, image, "<image>\nDescribe.", "a " + colour + " thing"));
        }
        for (int i = 0; i < 12; i++) {
            finetune.add(record("t" + i, "", "Is " + COLOURS[i % 6] + " a colour?", "yes".repeat(1 + i % 2)));
        }
        data("finetune.json", finetune);
        data("pretrain.json", pretrain);
    }

    private static TextConfig textOf(int width, int vocabulary) {
        return textOf(width, vocabulary, false);
    }

    private static TextConfig textOf(int width, int vocabulary, boolean tied) {
        return new TextConfig(width, 2 * width, 2, 4, 2, vocabulary, MAX_LENGTH, 1e-5, 10000, tied, 1, 2, 0);
    }

    private void save(Path directory, ModelKind kind) {
        List<TensorSource> tensors = new ArrayList<>();
        Engine.scope("a tiny model", () -> {
            try (Weights weights = new Weights()) {
                Initializer initializer = new Initializer(7);
                ExpectedTensors.of(kind).shapes().forEach((name, shape) -> {
                    initializer.fill(weights, name, shape);
                    tensors.add(TensorSource.of(name, Tensors.toFloats(weights.get(name)), shape));
                });
            }
            return null;
        });
        Path tokenizer = kind instanceof ModelKind.Llama ? root.resolve("vocabulary") : null;
        CheckpointWriter.save(directory, kind, tokenizer, tensors);
    }

    private static List<String> texts() {
        List<String> texts = new ArrayList<>();
        for (String colour : COLOURS) {
            texts.add("A chat between a curious user and an artificial intelligence assistant. The assistant gives"
                    + " helpful, detailed, and polite answers to the user's questions. USER: What colour is this?"
                    + " ASSISTANT: " + colour);
            texts.add("Is " + colour + " a colour? yes and a " + colour + " thing");
        }
        return texts;
    }
}
