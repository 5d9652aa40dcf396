package io.llava4j.app.cli;

import io.llava4j.checkpoint.CheckpointWriter;
import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.image.AspectMode;
import io.llava4j.image.tile.Tiling;
import io.llava4j.model.Initializer;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.text.VocabularyTrainer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A whole model folder with random weights, which says something, if nothing sensible. */
public final class TinyModel {
    private TinyModel() {}

    public static Path write(Path dir) {
        return write(dir, 256);
    }

    /** @param positions prompt and answer have no more tokens than these */
    public static Path write(Path dir, int positions) {
        return write(dir, positions, Tiling.NONE);
    }

    /** A model whose images have 2 x 2 features, with a projector of that type. */
    public static Path write(Path dir, String projector) {
        return write(dir, 512, Tiling.NONE, projector);
    }

    /** @param tiling of images of 28 pixels with 2 x 2 features; {@link Tiling#NONE} for a model that tiles none */
    public static Path write(Path dir, int positions, Tiling tiling) {
        return write(dir, positions, tiling, "mlp2x_gelu");
    }

    private static Path write(Path dir, int positions, Tiling tiling, String projector) {
        Path tokenizer = dir.resolve("tokenizer");
        int vocabulary = VocabularyTrainer.train(
                        List.of("what is in the image? a cat", "USER: ASSISTANT: the dog is red and the cat is blue")
                                .iterator(),
                        VocabularyTrainer.MIN_SIZE + 20,
                        tokenizer)
                .vocabSize();
        LlavaConfig plain = new LlavaConfig(
                new VisionConfig(16, 32, 2, 2, 28, 14, 1e-5, "quick_gelu", List.of()),
                new TextConfig(16, 32, 2, 2, 2, vocabulary, positions, 1e-5, 10000, false, 1, 2, 0),
                projector,
                -2,
                false,
                AspectMode.PAD,
                -1,
                0);
        LlavaConfig config = tiling.isNone()
                ? plain
                : plain.withAspectMode(AspectMode.ANYRES).withTiling(tiling);
        ModelKind kind = new ModelKind.Llava(config);
        Initializer initializer = new Initializer(1);
        List<TensorSource> tensors = new ArrayList<>();
        Engine.load();
        try (Weights weights = new Weights()) {
            ExpectedTensors.of(kind)
                    .shapes()
                    .forEach((name, shape) -> Engine.scope("initialising " + name, () -> {
                        initializer.fill(weights, name, shape);
                        tensors.add(TensorSource.of(name, Tensors.toFloats(weights.get(name)), shape));
                        return name;
                    }));
        }
        Path model = dir.resolve("model");
        CheckpointWriter.save(model, kind, tokenizer, tensors);
        return model;
    }
}
