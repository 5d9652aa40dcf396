package io.llava4j.generate;

import io.llava4j.CheckpointException;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.adapter.PeftAdapter;
import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.model.LowRank;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.text.SentencePieceTokenizer;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * A LoRA adapter merged into its base model: {@code W + scale * B A} in 32-bit floats, rounded to the base's type.
 * Tensors that were trained in full replace the base's (docs/reference/model.md#lora-adapter-layout). Each tensor is
 * computed when it is read.
 */
public final class MergedModel implements AutoCloseable {
    private final PeftAdapter adapter;
    private final List<Checkpoint> checkpoints = new ArrayList<>();
    private final Map<String, TensorEntry> plain = new LinkedHashMap<>();
    private final LlavaConfig config;
    private final Path tokenizer;

    private MergedModel(PeftAdapter adapter, Path directory, @Nullable Path base, @Nullable Path visionTower) {
        this.adapter = adapter;
        boolean merged = false;
        try {
            Path baseFolder = folder(directory, base, adapter.base(), "base model", "--base");
            Checkpoint baseModel = open(baseFolder);
            VisionConfig tower;
            if (baseModel.kind() instanceof ModelKind.Llava llava) {
                tower = llava.config().vision();
                if (visionTower != null) {
                    throw new CheckpointException(
                            "%s, the base of %s, holds its own vision tower; leave out --vision-tower"
                                    .formatted(baseFolder, directory));
                }
            } else if (baseModel.kind() instanceof ModelKind.Llama) {
                Checkpoint clip =
                        open(folder(directory, visionTower, adapter.towerName(), "vision tower", "--vision-tower"));
                if (!(clip.kind() instanceof ModelKind.Clip vision)) {
                    throw new CheckpointException("the vision tower of %s is %s"
                            .formatted(directory, clip.kind().label()));
                }
                tower = vision.vision();
            } else {
                throw new CheckpointException("%s holds %s; the base of a LoRA adapter is a LLaVA or a LLaMA model"
                        .formatted(baseFolder, baseModel.kind().label()));
            }
            checkpoints.forEach(checkpoint -> plain.putAll(checkpoint.tensors()));
            plain.putAll(adapter.others());
            this.config = adapter.modelConfig(tower)
                    .or(() -> baseModel.kind() instanceof ModelKind.Llava llava
                            ? Optional.of(llava.config())
                            : Optional.empty())
                    .orElseThrow(() -> new CheckpointException(
                            "%s holds no config.json of LLaVA, and its base is no LLaVA model".formatted(directory)));
            this.tokenizer = SentencePieceTokenizer.isIn(directory) ? directory : baseModel.tokenizerDir();
            requireFitting(directory, baseFolder);
            merged = true;
        } finally {
            if (!merged) {
                close();
            }
        }
    }

    /**
     * Opens an adapter with its base.
     *
     * @param adapter folder of the adapter
     * @param base folder of the base model; null for the one the adapter names
     * @param visionTower folder of the tower, where the base is a LLaMA model; null for the one the adapter names
     * @throws CheckpointException if a part is missing or they do not fit each other
     */
    public static MergedModel open(Path adapter, @Nullable Path base, @Nullable Path visionTower) {
        return new MergedModel(PeftAdapter.open(adapter), adapter, base, visionTower);
    }

    private Checkpoint open(Path folder) {
        Checkpoint checkpoint = Checkpoint.open(folder);
        checkpoints.add(checkpoint);
        return checkpoint.requireComplete();
    }

    private static Path folder(
            Path directory, @Nullable Path given, Optional<String> named, String what, String option) {
        if (given != null) {
            return given;
        }
        String name = named.orElse("");
        try {
            Path folder = directory.resolve(name);
            if (!name.isEmpty() && Files.isDirectory(folder)) {
                return folder;
            }
        } catch (InvalidPathException e) {
            // a hub id, which is no folder either
        }
        throw new CheckpointException("%s names '%s' as its %s, but there is no such folder; give its path with %s"
                .formatted(directory, name, what, option));
    }

    private void requireFitting(Path directory, Path base) {
        Map<String, long[]> shapes =
                ExpectedTensors.of(new ModelKind.Llava(config)).shapes();
        adapter.others().forEach((name, tensor) -> {
            long[] wanted = shapes.get(name);
            if (wanted != null && !Arrays.equals(tensor.shape(), wanted)) {
                throw new CheckpointException(
                        ("%s has %s of shape %s, but the model of %s needs %s; give the base it was trained on, or the"
                                        + " adapter's config.json")
                                .formatted(
                                        directory,
                                        name,
                                        Arrays.toString(tensor.shape()),
                                        base,
                                        Arrays.toString(wanted)));
            }
        });
        adapter.pairs().forEach((name, pair) -> {
            TensorEntry weight = plain.get(name);
            long[] wanted = {pair.up().shape()[0], pair.down().shape()[1]};
            if (weight == null || !Arrays.equals(weight.shape(), wanted)) {
                throw new CheckpointException("%s adapts %s of shape %s, but %s has %s; give the base it was trained on"
                        .formatted(
                                directory,
                                name,
                                Arrays.toString(wanted),
                                base,
                                weight == null ? "no such tensor" : "shape " + Arrays.toString(weight.shape())));
            }
        });
    }

    /** Configuration of the whole model. */
    public LlavaConfig config() {
        return config;
    }

    /** Folder with its tokenizer. */
    public Path tokenizer() {
        return tokenizer;
    }

    /** All tensors by canonical name; valid until this is closed. */
    public List<TensorSource> tensors() {
        List<TensorSource> tensors = new ArrayList<>();
        plain.forEach((name, weight) -> {
            PeftAdapter.Pair pair = adapter.pairs().get(name);
            tensors.add(
                    pair == null
                            ? TensorSource.of(weight)
                            : TensorSource.rounded(name, weight.dtype(), () -> merge(weight, pair), weight.shape()));
        });
        return tensors;
    }

    private float[] merge(TensorEntry weight, PeftAdapter.Pair pair) {
        return Engine.inference("merging " + weight.name(), () -> {
            Tensor sum = LowRank.sum(tensor(weight), tensor(pair.down()), tensor(pair.up()), pair.scale());
            TensorEntry magnitude = pair.magnitude();
            if (magnitude != null) {
                // DoRA: every row gets the length that was trained.
                sum = sum.mul(
                        tensor(magnitude).view(-1).div(LowRank.rowLengths(sum)).view(-1, 1));
            }
            return Tensors.toFloats(sum);
        });
    }

    private static Tensor tensor(TensorEntry entry) {
        return Tensors.of(entry.toFloats(), entry.shape());
    }

    @Override
    public void close() {
        checkpoints.forEach(Checkpoint::close);
        adapter.close();
    }
}
