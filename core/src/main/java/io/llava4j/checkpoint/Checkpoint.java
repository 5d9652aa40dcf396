package io.llava4j.checkpoint;

import io.llava4j.CheckpointException;
import io.llava4j.ConfigException;
import io.llava4j.checkpoint.gguf.GgufModel;
import io.llava4j.checkpoint.gguf.GgufTokenizer;
import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.checkpoint.layout.CheckpointLayout;
import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.GgufNames;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.checkpoint.layout.ProjectorShape;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.text.SentencePieceTokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * Memory-mapped weights of any layout under canonical names ({@link CanonicalNames}). Format and layout are detected from
 * the content of the files, never from their names (docs/reference/model.md#checkpoint-layouts).
 */
public final class Checkpoint implements AutoCloseable {
    private final Path path;
    private final ModelKind kind;
    private final CheckpointLayout layout;
    private final List<Path> files;
    private final Runnable closing;
    private final @Nullable GgufModel gguf;
    private final SequencedMap<String, TensorEntry> tensors = new LinkedHashMap<>();
    private final List<String> ignored = new ArrayList<>();
    private final List<String> unknown = new ArrayList<>();

    private Checkpoint(
            Path path,
            ModelKind kind,
            CheckpointLayout layout,
            List<Path> files,
            Runnable closing,
            @Nullable GgufModel gguf) {
        this.path = path;
        this.kind = kind;
        this.layout = layout;
        this.files = files;
        this.closing = closing;
        this.gguf = gguf;
    }

    private Checkpoint(Path path, ModelKind kind, CheckpointLayout layout, List<WeightFiles> files) {
        this(path, kind, layout, new ArrayList<>(), () -> files.forEach(WeightFiles::close), null);
    }

    /**
     * Opens a model folder, a CLIP folder, a LLaMA folder, a single safetensors file or a GGUF file; the GGUF file of the
     * tower (mmproj) is expected in the same folder.
     *
     * @throws CheckpointException naming file and tensor, if the weights cannot be read
     * @throws ConfigException naming file and key, if the configuration cannot be used
     */
    public static Checkpoint open(Path directoryOrFile) {
        return open(directoryOrFile, ModelParts.FOUND);
    }

    /**
     * As {@link #open(Path)}, with parts that are stored separately.
     *
     * @param parts of a model that does not hold them itself
     * @throws CheckpointException also for a part that the model has no use for
     */
    public static Checkpoint open(Path directoryOrFile, ModelParts parts) {
        if (!Files.exists(directoryOrFile)) {
            throw new CheckpointException("%s does not exist".formatted(directoryOrFile));
        }
        if (GgufModel.isAt(directoryOrFile)) {
            if (parts.visionTower() != null) {
                throw new CheckpointException(
                        "%s is a GGUF model, whose vision tower is in its mmproj file; name that with --mmproj instead of --vision-tower"
                                .formatted(directoryOrFile));
            }
            return gguf(directoryOrFile, parts.mmproj());
        }
        if (parts.mmproj() != null) {
            throw new CheckpointException(
                    "%s is no GGUF model, so it takes no mmproj file; leave out --mmproj".formatted(directoryOrFile));
        }
        QuantisedWeights.refuseConfigured(directory(directoryOrFile));
        List<WeightFiles> files = new ArrayList<>();
        boolean opened = false;
        try {
            WeightFiles weights = WeightFiles.open(directoryOrFile);
            files.add(weights);
            Checkpoint checkpoint = assemble(directoryOrFile, weights, parts.visionTower(), files);
            opened = true;
            return checkpoint;
        } finally {
            if (!opened) {
                files.forEach(WeightFiles::close);
            }
        }
    }

    private static Checkpoint gguf(Path path, @Nullable Path mmproj) {
        GgufModel model = GgufModel.open(path, mmproj);
        boolean opened = false;
        try {
            Checkpoint checkpoint =
                    new Checkpoint(path, model.kind(), CheckpointLayout.GGUF, model.files(), model::close, model);
            for (TensorEntry tensor : model.tensors()) {
                checkpoint.add(tensor, GgufNames.ignores(tensor.name()), model.canonical(tensor.name()));
            }
            opened = true;
            return checkpoint;
        } finally {
            if (!opened) {
                model.close();
            }
        }
    }

    private static Checkpoint assemble(
            Path path, WeightFiles weights, @Nullable Path visionTower, List<WeightFiles> files) {
        var names = weights.tensors().keySet();
        if (names.stream().anyMatch(name -> name.contains(".lora_A.") || name.contains(".lora_B."))) {
            throw new CheckpointException(
                    "%s holds LoRA adapters, not a model; merge them into their base with `llava merge-lora`"
                            .formatted(path));
        }
        QuantisedWeights.refuseStored(path, names);
        CheckpointLayout layout = CheckpointLayout.of(names)
                .orElseThrow(() ->
                        new CheckpointException("%s holds no tensors of LLaVA, CLIP or LLaMA; the first one is '%s'"
                                .formatted(path, names.stream().findFirst().orElse("none"))));
        if (layout == CheckpointLayout.PROJECTOR_ONLY) {
            SequencedMap<String, TensorEntry> renamed = new LinkedHashMap<>();
            weights.tensors()
                    .forEach((name, tensor) ->
                            layout.canonical(name).ifPresent(canonical -> renamed.put(canonical, tensor)));
            Checkpoint checkpoint = new Checkpoint(path, ProjectorShape.infer(path, renamed), layout, files);
            checkpoint.addAll(layout, weights);
            return checkpoint;
        }
        Path directory = directory(path);
        VisionTowerLocator tower = new VisionTowerLocator(directory, visionTower);
        ModelKind kind = tower.modelKind();
        Checkpoint checkpoint = new Checkpoint(path, kind, layout, files);
        checkpoint.addAll(layout, weights);
        if (kind instanceof ModelKind.Llava && layout == CheckpointLayout.LIUHAOTIAN && !checkpoint.hasTower()) {
            checkpoint.addTower(tower, files);
        } else if (visionTower != null) {
            throw new CheckpointException("%s %s; leave out --vision-tower"
                    .formatted(
                            path,
                            kind instanceof ModelKind.Llava ? "holds its own vision tower" : "is " + kind.label()));
        }
        checkpoint.dropTiedHead();
        return checkpoint;
    }

    /**
     * The model that the configuration of a folder describes; its weights may be missing.
     *
     * @throws ConfigException naming file and key, if the configuration cannot be used
     */
    public static ModelKind kindOf(Path directory) {
        return new VisionTowerLocator(directory, null).modelKind();
    }

    private static Path directory(Path directoryOrFile) {
        if (Files.isDirectory(directoryOrFile)) {
            return directoryOrFile;
        }
        return Objects.requireNonNull(directoryOrFile.toAbsolutePath().getParent());
    }

    private boolean hasTower() {
        return tensors.keySet().stream().anyMatch(name -> name.startsWith(CanonicalNames.TOWER));
    }

    private void addTower(VisionTowerLocator tower, List<WeightFiles> files) {
        Path folder = tower.require(path);
        WeightFiles weights = WeightFiles.open(folder);
        files.add(weights);
        if (CheckpointLayout.of(weights.tensors().keySet())
                .filter(CheckpointLayout.CLIP::equals)
                .isEmpty()) {
            throw new CheckpointException("%s is given as vision tower but holds no CLIP model".formatted(folder));
        }
        addAll(CheckpointLayout.CLIP, weights);
    }

    private void addAll(CheckpointLayout of, WeightFiles weights) {
        files.addAll(weights.files());
        for (TensorEntry tensor : weights.tensors().values()) {
            add(tensor, of.ignores(tensor.name()), of.canonical(tensor.name()));
        }
    }

    private void add(TensorEntry tensor, boolean ignore, Optional<String> canonical) {
        if (ignore) {
            ignored.add(tensor.name());
        } else if (canonical.isEmpty()) {
            unknown.add(tensor.name());
        } else if (tensors.put(canonical.get(), tensor.withName(canonical.get())) != null) {
            throw new CheckpointException(
                    "%s: tensor '%s' is there twice, under two names".formatted(path, canonical.get()));
        }
    }

    /** Files with tied embeddings may store the head as well; it is dropped if it equals the embedding table. */
    private void dropTiedHead() {
        boolean tied = switch (kind) {
            case ModelKind.Llava llava -> llava.config().text().tieWordEmbeddings();
            case ModelKind.Llama llama -> llama.text().tieWordEmbeddings();
            default -> false;
        };
        TensorEntry head = tensors.get(CanonicalNames.LM_HEAD);
        TensorEntry table = tensors.get(CanonicalNames.EMBED_TOKENS);
        if (tied && head != null && table != null && head.data().mismatch(table.data()) == -1) {
            tensors.remove(CanonicalNames.LM_HEAD);
            ignored.add(CanonicalNames.LM_HEAD);
        }
    }

    /** The kind of model in the files, with its configuration. */
    public ModelKind kind() {
        return kind;
    }

    /** Whether some tensors are quantised; their data is unpacked to 32-bit floats ({@link TensorEntry.Blocks}). */
    public boolean isQuantised() {
        return gguf != null && gguf.isQuantised();
    }

    /** The files that hold the weights. */
    public List<Path> files() {
        return Collections.unmodifiableList(files);
    }

    /** How the files name their tensors. */
    public CheckpointLayout layout() {
        return layout;
    }

    /**
     * The configuration of a whole model.
     *
     * @throws CheckpointException if the files hold only a part of a model
     */
    public LlavaConfig config() {
        if (kind instanceof ModelKind.Llava llava) {
            return llava.config();
        }
        throw new CheckpointException("%s is not a whole LLaVA model: it holds only %s".formatted(path, kind.label()));
    }

    /** Tensors by canonical name. */
    public SequencedMap<String, TensorEntry> tensors() {
        return Collections.unmodifiableSequencedMap(tensors);
    }

    /**
     * One tensor.
     *
     * @param name canonical
     * @throws CheckpointException if there is none of that name
     */
    public TensorEntry tensor(String name) {
        TensorEntry tensor = tensors.get(name);
        if (tensor == null) {
            throw new CheckpointException("%s holds no tensor '%s'".formatted(path, name));
        }
        return tensor;
    }

    /** Names on disk of tensors that are not needed: recomputed tables, CLIP's text side, a tied head. */
    public List<String> ignored() {
        return Collections.unmodifiableList(ignored);
    }

    /**
     * Checks that the tensors are exactly those of the configuration, in their shapes.
     *
     * @return this
     * @throws CheckpointException naming the first few that are missing, unexpected or misshapen
     */
    public Checkpoint requireComplete() {
        Map<String, ExpectedTensors.TensorInfo> infos = new LinkedHashMap<>();
        tensors.forEach(
                (name, tensor) -> infos.put(name, new ExpectedTensors.TensorInfo(tensor.dtype(), tensor.shape())));
        ExpectedTensors.of(kind).require(path, infos, unknown);
        return this;
    }

    /**
     * Names of tensors with NaN or infinity, as in damaged files or after diverged training. Reads all data.
     */
    public List<String> notFinite() {
        return tensors.values().parallelStream()
                .filter(tensor -> !tensor.isFinite())
                .map(TensorEntry::name)
                .toList();
    }

    /** The folder that holds the tokenizer's files. */
    public Path tokenizerDir() {
        return directory(path);
    }

    /**
     * The model's tokenizer: embedded in its GGUF file, or in the files beside the weights.
     *
     * @return empty if there is none
     * @throws CheckpointException if it cannot be used
     */
    public Optional<SentencePieceTokenizer> tokenizer() {
        if (gguf != null) {
            return GgufTokenizer.read(gguf.metadata());
        }
        Path folder = tokenizerDir();
        return SentencePieceTokenizer.isIn(folder)
                ? Optional.of(SentencePieceTokenizer.load(folder))
                : Optional.empty();
    }

    /** One line: kind, layout, parameter count, types and size in the files. */
    public String describe() {
        return CheckpointDescription.of(this);
    }

    /** Unmaps all files; no tensor may be read afterwards. */
    @Override
    public void close() {
        closing.run();
    }
}
