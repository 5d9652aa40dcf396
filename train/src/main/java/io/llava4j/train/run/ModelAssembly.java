package io.llava4j.train.run;

import io.llava4j.ConfigException;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.generate.EngineWeights;
import io.llava4j.image.AspectMode;
import io.llava4j.image.tile.PatchMerge;
import io.llava4j.model.Initializer;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.ProjectorType;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.tensor.ComputePrecision;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.tensor.format.BlockFormat;
import io.llava4j.train.config.Default;
import io.llava4j.train.config.Require;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * The model that training starts from, put together from files. Closing it closes the files, not the weights.
 *
 * @param config of the whole model
 * @param weights of all parts, by canonical name
 * @param tokenizer folder or file of the tokenizer
 * @param notes for the user, such as that a part starts from random weights
 * @param files that weights are still to be read from
 */
public record ModelAssembly(
        LlavaConfig config, Weights weights, Path tokenizer, List<String> notes, List<Checkpoint> files)
        implements AutoCloseable {
    private static final String RANDOM_PROJECTOR =
            "the projector starts from random weights, because model.projector names no file";
    private static final String RANDOM_ROW_END =
            "the row-end token of tiled images starts from random weights, because no file has it";

    /**
     * Where the model comes from: a whole model, or its parts.
     *
     * @param base folder of a whole LLaVA model
     * @param visionTower folder of a vision tower; with {@code language-model} the alternative to {@code base}
     * @param languageModel folder of a language model with its tokenizer
     * @param projector file of a projector's weights, such as stage 1's; random weights without it
     * @param projectorType {@code linear}, {@code mlpNx_gelu}, {@code avg_pool_NxN_mlpNx_gelu}, {@code pixel_shuffle_NxN_mlpNx_gelu},
     *     {@code tokenpacker_NxN} or {@code identity}
     * @param selectLayer hidden state of the tower that is used, negative from the end
     * @param selectFeature image features that are used
     * @param imageGrids canvases for images in tiles, each as width and height in pixels ({@code image_grid_pinpoints} of LLaVA); those
     *     of {@code base} without it
     * @param patchMergeType how tiles become image tokens ({@code mm_patch_merge_type} of LLaVA); that of {@code base} without it, or
     *     {@code flat}
     */
    public record Config(
            @Nullable Path base,
            @Nullable Path visionTower,
            @Nullable Path languageModel,
            @Nullable Path projector,
            @Default("mlp2x_gelu") String projectorType,
            @Default("-2") int selectLayer,
            @Default("patch") SelectFeature selectFeature,
            @Nullable List<List<Integer>> imageGrids,
            @Nullable PatchMerge patchMergeType) {

        public Config {
            Require.that(
                    ProjectorType.find(projectorType).isPresent(),
                    "projector-type is '%s'; write %s".formatted(projectorType, ProjectorType.KNOWN));
            TilingKeys.check(imageGrids);
        }

        /** The whole model's configuration, for parts that are put together. */
        public LlavaConfig toLlava(VisionConfig vision, TextConfig text, AspectMode aspect, int maxLength) {
            boolean keepCls = selectFeature == SelectFeature.CLS_PATCH;
            LlavaConfig plain =
                    new LlavaConfig(vision, text, projectorType, selectLayer, keepCls, AspectMode.PAD, -1, maxLength);
            return tiling().applyTo(plain, aspect, "the recipe's model");
        }

        /**
         * The configuration of a whole model, with images as the recipe wants them.
         *
         * @param whole as its files describe it
         * @throws ConfigException if the model cannot see images so
         */
        public LlavaConfig toLlava(LlavaConfig whole, AspectMode aspect, int maxLength) {
            return tiling().applyTo(whole, aspect, "model.base " + languageFolder())
                    .withMaxSequenceLength(maxLength);
        }

        private TilingKeys tiling() {
            return new TilingKeys(imageGrids, patchMergeType);
        }

        /** Folder of the whole model or of the language model. */
        public Path languageFolder() {
            return base != null ? base : Objects.requireNonNull(languageModel);
        }
    }

    /** Which image features of the tower's hidden state are used. */
    public enum SelectFeature {
        PATCH,
        CLS_PATCH
    }

    /**
     * Where weights go.
     *
     * @param stays whether weights stay in their files until each is read ({@link Weights#putStored})
     * @param device of all weights
     * @param precision whose type a weight gets, by its canonical name
     * @param blocks the blocks in which a weight is stored instead, by its canonical name; null for none
     */
    public record Placement(
            boolean stays,
            String device,
            Function<String, ComputePrecision> precision,
            Function<String, @Nullable BlockFormat> blocks) {
        private void add(Weights weights, Map<String, TensorEntry> tensors) {
            Device place = Engine.device(device);
            tensors.forEach((name, entry) -> Engine.scope("loading " + name, () -> {
                BlockFormat format = blocks.apply(name);
                Supplier<Tensor> elements = format == null
                        ? () -> EngineWeights.copy(entry, place, precision.apply(name))
                        : () -> EngineWeights.copyOfBlocks(entry, format, place);
                if (stays) {
                    weights.putStored(
                            name,
                            format == null
                                    ? Tensors.withoutElements(Tensors.type(precision.apply(name)), entry.shape())
                                    : Tensors.withoutElements(
                                            torch.ScalarType.Byte, EngineWeights.blockShape(entry, format)),
                            elements);
                } else {
                    weights.put(name, elements.get());
                }
                return null;
            }));
        }
    }

    /**
     * Loads a model.
     *
     * @param parts where it comes from
     * @param aspect how it is to see images
     * @param maxLength longest sequence in tokens
     * @param placement of the weights
     * @param random of weights that come from no file
     * @throws ConfigException if the parts do not fit each other
     */
    public static ModelAssembly of(
            Config parts, AspectMode aspect, int maxLength, Placement placement, Initializer random) {
        List<Checkpoint> files = new ArrayList<>();
        boolean complete = false;
        try {
            Path base = parts.base();
            ModelAssembly assembly = base != null
                    ? whole(parts, base, aspect, maxLength, placement, files)
                    : ofParts(
                            parts,
                            Objects.requireNonNull(parts.visionTower()),
                            Objects.requireNonNull(parts.languageModel()),
                            aspect,
                            maxLength,
                            placement,
                            files);
            String type = assembly.config().projectorType();
            Require.that(
                    base == null
                            || parts.projectorType().equals("mlp2x_gelu")
                            || parts.projectorType().equals(type),
                    "model.projector-type is %s, but model.base %s has a projector %s; remove model.projector-type"
                            .formatted(parts.projectorType(), parts.languageFolder(), type));
            Path projector = parts.projector();
            if (projector != null) {
                assembly.loadProjector(projector, placement);
            }
            assembly.completeProjector(projector, random, placement);
            complete = true;
            return assembly;
        } finally {
            if (!complete) {
                files.forEach(Checkpoint::close);
            }
        }
    }

    private static Checkpoint open(Path path, List<Checkpoint> files) {
        Checkpoint checkpoint = Checkpoint.open(path);
        files.add(checkpoint);
        return checkpoint;
    }

    private static ModelAssembly whole(
            Config parts, Path base, AspectMode aspect, int maxLength, Placement placement, List<Checkpoint> files) {
        Checkpoint checkpoint = open(base, files).requireComplete();
        LlavaConfig config = parts.toLlava(checkpoint.config(), aspect, maxLength);
        Weights weights = new Weights();
        placement.add(weights, checkpoint.tensors());
        return new ModelAssembly(config, weights, checkpoint.tokenizerDir(), new ArrayList<>(), files);
    }

    private static ModelAssembly ofParts(
            Config parts,
            Path tower,
            Path language,
            AspectMode aspect,
            int maxLength,
            Placement placement,
            List<Checkpoint> files) {
        Checkpoint towerFile = open(tower, files).requireComplete();
        Checkpoint languageFile = open(language, files).requireComplete();
        LlavaConfig config =
                parts.toLlava(visionOf(tower, towerFile), textOf(language, languageFile), aspect, maxLength);
        Weights weights = new Weights();
        placement.add(weights, languageFile.tensors());
        placement.add(weights, towerFile.tensors());
        return new ModelAssembly(config, weights, languageFile.tokenizerDir(), new ArrayList<>(), files);
    }

    private void loadProjector(Path projector, Placement placement) {
        Checkpoint checkpoint = open(projector, files);
        requireSameReduction(
                projector, ModelFiles.projectorType(projector, checkpoint).orElseGet(() -> typeOf(checkpoint)));
        checkpoint.tensors().forEach((name, entry) -> {
            if (name.startsWith(CanonicalNames.PROJECTOR)
                    || name.equals(CanonicalNames.ROW_END) && config.hasRowEnd()) {
                placement.add(weights, Map.of(name, entry));
            }
        });
    }

    /** The type of a projector whose file does not name it. A TokenPacker reads squares of any size. */
    private String typeOf(Checkpoint projector) {
        if (projector.kind() instanceof ModelKind.Projector theirs) {
            String ours = config.projectorType();
            return isTokenPacker(ours) && isTokenPacker(theirs.projectorType()) ? ours : theirs.projectorType();
        }
        return "mlp2x_gelu";
    }

    private static boolean isTokenPacker(String type) {
        return ProjectorType.parse(type).reduction() == ProjectorType.Reduction.TOKEN_PACKER;
    }

    @Override
    public void close() {
        files.forEach(Checkpoint::close);
    }

    /** Tensors do not always show how patches become tokens, so the file's own type decides. */
    private void requireSameReduction(Path projector, String stored) {
        ProjectorType theirs = ProjectorType.parse(stored);
        ProjectorType ours = ProjectorType.parse(config.projectorType());
        Require.that(
                theirs.reduction() == ours.reduction() && theirs.edge() == ours.edge(),
                "model.projector %s is a projector %s and model.projector-type is %s; choose the same"
                        .formatted(projector, stored, ours.name()));
    }

    /** Random weights for a projector that no file has, and for a row-end token; the file of a projector need not have this. */
    private void completeProjector(@Nullable Path projector, Initializer random, Placement placement) {
        ExpectedTensors.of(new ModelKind.Llava(config)).shapes().forEach((name, shape) -> {
            boolean rowEnd = name.equals(CanonicalNames.ROW_END);
            if (!rowEnd && !name.startsWith(CanonicalNames.PROJECTOR)) {
                return;
            }
            Tensor known = weights.find(name);
            if (known != null && !Arrays.equals(Tensors.shape(known), shape)) {
                throw new ConfigException(
                        "%s: %s has the shape %s where the model needs %s; it belongs to another model"
                                .formatted(
                                        projector == null ? "the projector" : "model.projector " + projector,
                                        name,
                                        Arrays.toString(Tensors.shape(known)),
                                        Arrays.toString(shape)));
            }
            if (known == null) {
                if (projector != null && !rowEnd) {
                    throw new ConfigException(
                            "model.projector %s has no tensor %s; it belongs to another projector-type"
                                    .formatted(projector, name));
                }
                random.fill(weights, name, shape);
                weights.put(
                        name,
                        weights.get(name).to(Tensors.type(placement.precision().apply(name))));
                String note = rowEnd ? RANDOM_ROW_END : RANDOM_PROJECTOR;
                if (!notes.contains(note)) {
                    notes.add(note);
                }
            }
        });
    }

    /**
     * Shape of a checkpoint's vision tower.
     *
     * @throws ConfigException if it has none
     */
    public static VisionConfig visionOf(Path path, Checkpoint checkpoint) {
        return switch (checkpoint.kind()) {
            case ModelKind.Clip clip -> clip.vision();
            case ModelKind.Llava llava -> llava.config().vision();
            default ->
                throw new ConfigException(
                        path + " holds " + checkpoint.kind().label() + " where a vision tower is needed");
        };
    }

    /**
     * Shape of a checkpoint's language model.
     *
     * @throws ConfigException if it has none
     */
    public static TextConfig textOf(Path path, Checkpoint checkpoint) {
        return switch (checkpoint.kind()) {
            case ModelKind.Llama llama -> llama.text();
            case ModelKind.Llava llava -> llava.config().text();
            default ->
                throw new ConfigException(
                        path + " holds " + checkpoint.kind().label() + " where a language model is needed");
        };
    }
}
