package io.llava4j.langchain4j;

import io.llava4j.checkpoint.CheckpointWriter;
import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.generate.schedule.Scheduler;
import io.llava4j.model.Initializer;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.text.VocabularyTrainer;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.recipe.RecipeLoader;
import io.llava4j.train.recipe.TrainConfig;
import io.llava4j.train.run.TrainingRun;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * A tiny model that knows the answers to the questions of LangChain4j's own tests, and nothing else: it is trained on them by
 * heart, from random weights, when the first test needs it. The tests are about the contract between LangChain4j and a model, not
 * about knowledge; but they can only be passed by a model that answers, sees and writes JSON.
 */
final class MemorisedModel {
    private static final int POSITIONS = 256;
    private static final String CAPITAL = "What is the capital of Germany?";
    private static final String CITY = "{\"city\": \"Berlin\"}";

    private static final Path DIRECTORY = train();

    /** Open until the JVM ends, because all test classes share it. */
    private static final LlavaPipeline PIPELINE = LlavaPipeline.open(DIRECTORY);

    private MemorisedModel() {}

    static LlavaPipeline pipeline() {
        return PIPELINE;
    }

    /** A pipeline of one's own, to be closed. */
    static LlavaPipeline open(Scheduler.Limits limits) {
        return LlavaPipeline.open(DIRECTORY, "cpu", new LlavaPipeline.Settings(null, true, limits));
    }

    static byte[] image(String name) {
        try (InputStream in = Objects.requireNonNull(
                MemorisedModel.class.getResourceAsStream("/images/" + name), name + " of LangChain4j's tests")) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Map<String, Object>> records() {
        List<Map<String, Object>> records = new ArrayList<>();
        // The likelier answer is plain text; held to a schema, the model goes on with the other one.
        records.add(record(CAPITAL, "The capital of Germany is Berlin."));
        records.add(record(CAPITAL, "The capital of Germany is Berlin."));
        records.add(record(CAPITAL, CITY));
        records.add(record(CAPITAL + " Answer with a JSON object containing a single 'city' field", CITY));
        records.add(record(CAPITAL + " How much is 2 + 2?", "The capital of Germany is Berlin, and 2 + 2 is 4."));
        records.add(record("Say 'Hello World'", "Hello World"));
        records.add(record("Tell me a long story about animals", "A dog, a cat and a hen went to Berlin to sing."));
        records.add(record(
                "Hi, my favorite color is green",
                "Hi, nice to meet you",
                "What is my favorite color?",
                "It is green."));
        records.add(with(
                record("Translate: 'I love you'", "Ich liebe dich"),
                Map.of("system", "Translate messages from user into German")));
        records.add(with(record("<image>\nWhat do you see?", "A cat."), Map.of("image", "cat.jpg")));
        records.add(with(record("<image>\nWhat do you see?", "Two dice."), Map.of("image", "dice.jpg")));
        records.add(with(
                record(
                        "What do you see on these images? Describe both images in english.\n<image>\n<image>",
                        "A cat and two dice."),
                Map.of("image", List.of("cat.jpg", "dice.jpg"))));
        return records;
    }

    /** A conversation: questions and answers in turn. */
    private static Map<String, Object> record(String... turns) {
        List<Map<String, String>> conversation = new ArrayList<>();
        for (String turn : turns) {
            conversation.add(Map.of("from", conversation.size() % 2 == 0 ? "human" : "gpt", "value", turn));
        }
        return Map.of("conversations", conversation);
    }

    private static Map<String, Object> with(Map<String, Object> record, Map<String, Object> more) {
        Map<String, Object> both = new HashMap<>(record);
        both.putAll(more);
        return both;
    }

    private static Path train() {
        try {
            Path root = Files.createTempDirectory(Path.of("target"), "memorised");
            Path images = Files.createDirectories(root.resolve("images"));
            for (String name : List.of("cat.jpg", "dice.jpg")) {
                Files.write(images.resolve(name), image(name));
            }
            String data = JsonMapper.shared().writeValueAsString(records());
            Path json = Files.writeString(root.resolve("data.json"), data);
            SentencePieceTokenizer tokenizer =
                    VocabularyTrainer.train(List.of(data).iterator(), 400, root.resolve("vocabulary"));
            TextConfig text =
                    new TextConfig(64, 128, 2, 4, 4, tokenizer.vocabSize(), POSITIONS, 1e-5, 10000, false, 1, 2, 0);
            VisionConfig vision = new VisionConfig(16, 32, 2, 2, 28, 14, 1e-5, "quick_gelu", List.of());
            save(root.resolve("language"), new ModelKind.Llama(text), root.resolve("vocabulary"));
            save(root.resolve("tower"), new ModelKind.Clip(vision), null);
            Path recipe = Files.writeString(root.resolve("recipe.yaml"), """
                    stage: finetune
                    output: %s
                    threads: 1
                    model: {vision-tower: %s, language-model: %s}
                    data: {json: %s, images: %s, max-length: %d, group-by-modality: false}
                    optimizer: {learning-rate: 0.01, max-grad-norm: 1.0}
                    schedule: {max-steps: 50}
                    batch: {per-device: %d, accumulation: 1}
                    """.formatted(
                            root.resolve("run"),
                            root.resolve("tower"),
                            root.resolve("language"),
                            json,
                            images,
                            POSITIONS,
                            records().size()));
            TrainConfig config = new RecipeLoader().load(recipe, Map.of(), Map.of());
            TrainingRun.run(config, Objectives::create, false, step -> {}, () -> false);
            return config.output().resolve("model");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void save(Path directory, ModelKind kind, @Nullable Path tokenizer) {
        List<TensorSource> tensors = new ArrayList<>();
        Engine.scope("a random model", () -> {
            try (Weights weights = new Weights()) {
                Initializer initializer = new Initializer(7);
                ExpectedTensors.of(kind).shapes().forEach((name, shape) -> {
                    initializer.fill(weights, name, shape);
                    tensors.add(TensorSource.of(name, Tensors.toFloats(weights.get(name)), shape));
                });
            }
            return directory;
        });
        CheckpointWriter.save(directory, kind, tokenizer, tensors);
    }
}
