package io.llava4j.generate;

import io.llava4j.CheckpointException;
import io.llava4j.ConfigException;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.Converter;
import io.llava4j.checkpoint.ModelMemory;
import io.llava4j.checkpoint.ModelParts;
import io.llava4j.checkpoint.adapter.PeftAdapter;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.config.LlamaParameters;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.cpu.CpuImageEncoder;
import io.llava4j.model.cpu.CpuLlamaModel;
import io.llava4j.model.cpu.CpuWeights;
import io.llava4j.tensor.ComputePrecision;
import io.llava4j.tensor.DeviceName;
import io.llava4j.tensor.Weights;
import io.llava4j.tensor.format.DType;
import io.llava4j.tensor.kernel.Kernels;
import io.llava4j.tensor.kernel.Workers;
import io.llava4j.text.SentencePieceTokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Loads stored tensors into a network. */
public final class ModelLoader {
    private static final Logger LOG = LoggerFactory.getLogger(ModelLoader.class);

    private ModelLoader() {}

    /**
     * A loaded model.
     *
     * @param model the network; the caller closes it
     * @param tokenizer reads its tokenizer; call it while the model is open
     * @param tensors as they are stored, readable while the model is open
     */
    public record Loaded(LlavaModel model, Supplier<SentencePieceTokenizer> tokenizer, List<TensorEntry> tensors) {}

    /**
     * Loads a whole LLaVA model of any layout for inference; a LoRA adapter is merged into its base. On a GPU the model
     * computes in the precision that {@link ComputePrecision#use} chose. On the CPU the kernels compute from its weights in
     * the type that they have in their files, without the tensor engine. Weights that are NaN or infinite are warned of, on a
     * GPU by a background thread.
     *
     * @param directory model folder, or folder of an adapter that names its base
     * @param device {@code cpu} or {@code cuda:N}
     * @throws CheckpointException naming the tensors that are missing, unexpected or misshapen
     */
    public static Loaded load(Path directory, String device) {
        return load(directory, device, ModelParts.FOUND);
    }

    /**
     * As {@link #load(Path, String)}, with parts that are stored separately.
     *
     * @param parts of a model that does not hold them itself
     */
    public static Loaded load(Path directory, String device, ModelParts parts) {
        if (PeftAdapter.isIn(directory)) {
            if (parts.mmproj() != null) {
                throw new CheckpointException(
                        "%s is a LoRA adapter, so it takes no mmproj file; leave out --mmproj".formatted(directory));
            }
            if (parts.packed() != null) {
                throw new CheckpointException(
                        "%s is a LoRA adapter, which has no packed weights; merge it with `llava merge-lora` first"
                                .formatted(directory));
            }
            return merged(directory, device, parts);
        }
        if (parts.packed() != null && !DeviceName.parse(device).isCpu()) {
            throw new ConfigException("packed weights are for the CPU, not for %s; leave them out".formatted(device));
        }
        return load(directory, Checkpoint.open(directory, parts), device, Checkpoint::tensors, parts);
    }

    /**
     * Loads a model on the CPU with the weights of its language model in another type, as {@code llava convert} and
     * {@code llava quantize} would write them, to see what that type changes.
     *
     * @throws CheckpointException as {@link #load(Path, String)}, and if the type cannot hold a number
     */
    public static Loaded loadAs(Path directory, Converter.Precision precision) {
        return load(
                directory,
                Checkpoint.open(directory),
                "cpu",
                checkpoint -> Requantised.languageModel(checkpoint, precision),
                ModelParts.FOUND);
    }

    /** As {@link #loadAs}, with vision tower and projector in another type and the language model as it is stored. */
    public static Loaded loadImageEncoderAs(Path directory, Converter.Precision precision) {
        return load(
                directory,
                Checkpoint.open(directory),
                "cpu",
                checkpoint -> Requantised.imageEncoder(checkpoint, precision),
                ModelParts.FOUND);
    }

    /**
     * Loads vision tower and projector of a model on the CPU, without its language model.
     *
     * @param checkpoint a whole LLaVA model, which stays open as long
     * @param precision to compute from; null for the weights as they are stored
     */
    public static CpuImageEncoder imageEncoder(Checkpoint checkpoint, Converter.@Nullable Precision precision) {
        LlavaConfig config = checkpoint.requireComplete().config();
        Map<String, TensorEntry> tensors =
                precision == null ? checkpoint.tensors() : Requantised.imageEncoder(checkpoint, precision);
        return CpuImageEncoder.load(config, new StoredWeights(tensors, name -> {}));
    }

    private static Loaded load(
            Path directory,
            Checkpoint checkpoint,
            String device,
            Function<Checkpoint, Map<String, TensorEntry>> stored,
            ModelParts parts) {
        boolean loaded = false;
        try {
            LlavaConfig config = checkpoint.config().withVisionTokens(parts.visionTokens());
            checkpoint.requireComplete();
            if (DeviceName.parse(device).isCpu()) {
                MemoryCheck.require(directory, ModelMemory.of(checkpoint));
            }
            Map<String, TensorEntry> tensors = stored.apply(checkpoint);
            LlavaModel model = parts.packed() == null
                    ? build(directory, config, tensors, device, checkpoint::close)
                    : onPackedWeights(directory, config, checkpoint, tensors, parts.packed());
            loaded = true;
            return new Loaded(
                    model,
                    () -> checkpoint
                            .tokenizer()
                            .orElseGet(() -> SentencePieceTokenizer.load(checkpoint.tokenizerDir())),
                    List.copyOf(tensors.values()));
        } finally {
            if (!loaded) {
                checkpoint.close();
            }
        }
    }

    /**
     * A model on stored tensors.
     *
     * @param tensors stay open until {@code close}
     * @param close called when the model is closed
     */
    private static LlavaModel build(
            Path directory, LlavaConfig config, Map<String, TensorEntry> tensors, String device, Runnable close) {
        if (DeviceName.parse(device).isCpu()) {
            List<String> damaged = new ArrayList<>();
            LlavaModel model = onKernels(config, tensors, new StoredWeights(tensors, damaged::add), close);
            warnOfNotFinite(directory, damaged);
            return model;
        }
        Weights weights = new Weights();
        EngineWeights.addTo(weights, tensors, device, name -> ComputePrecision.inUse());
        LlavaModel model = new LlavaModel(config, weights);
        // A network that cannot be built closes nothing itself, so the check begins after it is there.
        WeightCheck check = WeightCheck.start(
                tensors.values().stream()
                        .filter(entry -> !(entry.content() instanceof TensorEntry.Blocks))
                        .toList(),
                names -> warnOfNotFinite(directory, names));
        weights.onClose(() -> {
            check.close();
            close.run();
        });
        return model;
    }

    /** A model without the tensor engine. Its weights are checked while they are packed. */
    private static LlavaModel onKernels(
            LlavaConfig config, Map<String, TensorEntry> tensors, CpuWeights weights, Runnable close) {
        CpuImageEncoder encoder = CpuImageEncoder.load(config, weights);
        // Keys and values are as exact as the weights are.
        CpuLlamaModel languageModel = new CpuLlamaModel(
                config.text(),
                weights,
                isNarrow(tensors, config) ? DType.F16 : DType.F32,
                Kernels.instance(),
                Workers.shared());
        Weights none = new Weights();
        none.onClose(close);
        return new LlavaModel(config, none, encoder.tower(), encoder.projector(), languageModel);
    }

    private static LlavaModel onPackedWeights(
            Path directory, LlavaConfig config, Checkpoint checkpoint, Map<String, TensorEntry> tensors, Path file) {
        List<String> damaged = new ArrayList<>();
        PackedWeights weights = PackedWeights.open(file, checkpoint.files(), new StoredWeights(tensors, damaged::add));
        boolean loaded = false;
        try {
            LlavaModel model = onKernels(config, tensors, weights, () -> {
                weights.close();
                checkpoint.close();
            });
            warnOfNotFinite(directory, damaged);
            // Weights from the file are not checked for NaN, so a file has only those that were.
            if (damaged.isEmpty()) {
                weights.save();
            }
            loaded = true;
            return model;
        } finally {
            if (!loaded) {
                weights.close();
            }
        }
    }

    /** Whether some weights of the language model are narrower than 32 bits. */
    private static boolean isNarrow(Map<String, TensorEntry> tensors, LlavaConfig config) {
        return LlamaParameters.of(config.text()).shapes().keySet().stream()
                .map(name -> Objects.requireNonNull(tensors.get(name)))
                .anyMatch(entry -> entry.content() instanceof TensorEntry.Blocks
                        || entry.dtype() == DType.F16
                        || entry.dtype() == DType.BF16);
    }

    private static Loaded merged(Path directory, String device, ModelParts parts) {
        MergedModel merged = MergedModel.open(directory, null, parts.visionTower());
        boolean loaded = false;
        try {
            Map<String, TensorEntry> tensors = new LinkedHashMap<>();
            for (TensorSource source : merged.tensors()) {
                tensors.put(
                        source.name(),
                        new TensorEntry(
                                source.name(), source.dtype(), source.shape(), new TensorEntry.Derived(source.data())));
            }
            LlavaModel model = build(
                    directory, merged.config().withVisionTokens(parts.visionTokens()), tensors, device, merged::close);
            loaded = true;
            Path tokenizer = merged.tokenizer();
            return new Loaded(model, () -> SentencePieceTokenizer.load(tokenizer), List.copyOf(tensors.values()));
        } finally {
            if (!loaded) {
                merged.close();
            }
        }
    }

    private static void warnOfNotFinite(Path directory, List<String> names) {
        if (names.isEmpty()) {
            return;
        }
        LOG.warn(
                "{}: {} of its tensors hold NaN or infinity, the first one is {}; answers may be nonsense",
                directory,
                names.size(),
                names.getFirst());
    }
}
