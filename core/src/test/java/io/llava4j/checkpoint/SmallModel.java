package io.llava4j.checkpoint;

import io.llava4j.checkpoint.layout.CheckpointLayout;
import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.image.AspectMode;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.text.VocabularyTrainer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** A model folder of random weights to convert, and its conversion. */
public final class SmallModel {
    /** Rows of 32 and 64 make whole blocks, the tower's rows of 16 do not. */
    private static final VisionConfig TOWER = new VisionConfig(16, 32, 2, 2, 28, 14, 1e-5, "gelu", List.of());

    private SmallModel() {}

    public static SentencePieceTokenizer trainTokenizer(Path folder) {
        return VocabularyTrainer.train(
                List.of("the cat is on the mat and the dog is not", "what is the cat on?")
                        .iterator(),
                VocabularyTrainer.MIN_SIZE + 5,
                folder);
    }

    public static LlavaConfig config(int vocabulary, int imageToken) {
        return new LlavaConfig(
                TOWER,
                new TextConfig(32, 64, 2, 4, 2, vocabulary, 128, 1e-6, 20000, false, 1, 2, 0),
                "mlp2x_gelu",
                -2,
                false,
                AspectMode.PAD,
                imageToken,
                96);
    }

    public static Path write(Path folder, LlavaConfig config, @Nullable Path tokenizers) {
        return write(folder, config, tokenizers, 5);
    }

    /** @param seed of the weights */
    public static Path write(Path folder, LlavaConfig config, @Nullable Path tokenizers, long seed) {
        Random random = new Random(seed);
        List<TensorSource> tensors = new ArrayList<>();
        ModelKind kind = new ModelKind.Llava(config);
        ExpectedTensors.of(kind).shapes().forEach((name, shape) -> {
            float[] values = new float[Math.toIntExact(Arrays.stream(shape).reduce(1, (a, b) -> a * b))];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextGaussian();
            }
            tensors.add(TensorSource.of(name, values, shape));
        });
        CheckpointWriter.save(folder, kind, tokenizers, tensors);
        return folder;
    }

    public static Path convert(
            Path from, Path target, CheckpointLayout layout, Converter.@Nullable Precision precision) {
        try (Checkpoint checkpoint = Checkpoint.open(from)) {
            Converter.convert(checkpoint, target, layout, precision, (tensor, number, total) -> {});
        }
        return target;
    }
}
