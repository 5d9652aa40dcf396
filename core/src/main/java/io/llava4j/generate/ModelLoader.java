package io.llava4j.generate;

import io.llava4j.CheckpointException;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.Converter;
import io.llava4j.checkpoint.ModelMemory;
import io.llava4j.checkpoint.ModelParts;
import io.llava4j.checkpoint.adapter.PeftAdapter;
import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.Projector;
import io.llava4j.model.VisionTower;
import io.llava4j.model.config.LlamaParameters;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.cpu.CpuClipTower;
import io.llava4j.model.cpu.CpuLlamaModel;
import io.llava4j.tensor.ComputePrecision;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
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
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
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
     */
    public record Loaded(LlavaModel model, Supplier<SentencePieceTokenizer> tokenizer) {}

    /**
     * Loads a whole LLaVA model of any layout for inference; a LoRA adapter is merged into its base. On a GPU the model
     * computes in the precision that {@link ComputePrecision#use} chose, on the CPU in 32-bit floats. There the kernels compute from its weights in the type that they have in their files. A
     * background thread warns of weights that are NaN or infinite.
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
            return merged(directory, device, parts);
        }
        return load(directory, Checkpoint.open(directory, parts), device, Checkpoint::tensors);
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
                checkpoint -> Requantised.languageModel(checkpoint, precision));
    }

    /** As {@link #loadAs}, with vision tower and projector in another type and the language model as it is stored. */
    public static Loaded loadImageEncoderAs(Path directory, Converter.Precision precision) {
        return load(
                directory,
                Checkpoint.open(directory),
                "cpu",
                checkpoint -> Requantised.imageEncoder(checkpoint, precision));
    }

    /**
     * Vision tower and projector alone.
     *
     * @param weights own the tensors; the caller closes them, and keeps the checkpoint open as long
     */
    public record ImageEncoder(Weights weights, VisionTower tower, Projector projector) {}

    /**
     * Loads vision tower and projector of a model on the CPU, without its language model.
     *
     * @param checkpoint a whole LLaVA model
     * @param precision to compute from; null for the weights as they are stored
     */
    public static ImageEncoder imageEncoder(Checkpoint checkpoint, Converter.@Nullable Precision precision) {
        LlavaConfig config = checkpoint.requireComplete().config();
        Map<String, TensorEntry> tensors =
                precision == null ? checkpoint.tensors() : Requantised.imageEncoder(checkpoint, precision);
        Weights weights = mapped(withoutLanguageModel(tensors, config), "cpu", name -> {});
        VisionTower tower = new CpuClipTower(config, weights, Kernels.instance(), Workers.shared());
        return new ImageEncoder(weights, tower, Projector.of(config, weights));
    }

    private static Loaded load(
            Path directory,
            Checkpoint checkpoint,
            String device,
            Function<Checkpoint, Map<String, TensorEntry>> stored) {
        boolean loaded = false;
        try {
            LlavaConfig config = checkpoint.config();
            checkpoint.requireComplete();
            if (Engine.device(device).is_cpu()) {
                MemoryCheck.require(directory, ModelMemory.of(checkpoint));
            }
            LlavaModel model = build(directory, config, stored.apply(checkpoint), device, checkpoint::close);
            loaded = true;
            return new Loaded(
                    model,
                    () -> checkpoint
                            .tokenizer()
                            .orElseGet(() -> SentencePieceTokenizer.load(checkpoint.tokenizerDir())));
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
        boolean onKernels = Engine.device(device).is_cpu();
        Map<String, TensorEntry> mapped = onKernels ? withoutLanguageModel(tensors, config) : tensors;
        List<String> damaged = new ArrayList<>();
        Weights weights = mapped(mapped, device, damaged::add);
        LlavaModel model = onKernels
                ? new LlavaModel(
                        config,
                        weights,
                        new CpuClipTower(config, weights, Kernels.instance(), Workers.shared()),
                        onKernels(tensors, config, damaged::add))
                : new LlavaModel(config, weights);
        if (!damaged.isEmpty()) {
            warnOfNotFinite(directory, damaged);
        }
        // A network that cannot be built closes nothing itself, so the check begins after it is there.
        WeightCheck check = WeightCheck.start(notPacked(mapped, onKernels), names -> warnOfNotFinite(directory, names));
        weights.onClose(() -> {
            check.close();
            close.run();
        });
        return model;
    }

    /** Tensors that are not checked where they are packed or decoded. */
    private static List<TensorEntry> notPacked(Map<String, TensorEntry> tensors, boolean onKernels) {
        return tensors.values().stream()
                .filter(entry -> !(entry.content() instanceof TensorEntry.Blocks || onKernels && isLinearLayer(entry)))
                .toList();
    }

    /** Whether some weights of the language model are narrower than 32 bits. */
    private static boolean isNarrow(Map<String, TensorEntry> tensors, LlavaConfig config) {
        return LlamaParameters.of(config.text()).shapes().keySet().stream()
                .map(name -> Objects.requireNonNull(tensors.get(name)))
                .anyMatch(entry -> entry.content() instanceof TensorEntry.Blocks
                        || entry.dtype() == DType.F16
                        || entry.dtype() == DType.BF16);
    }

    private static Map<String, TensorEntry> withoutLanguageModel(Map<String, TensorEntry> tensors, LlavaConfig config) {
        Map<String, TensorEntry> others = new LinkedHashMap<>(tensors);
        others.keySet().removeAll(LlamaParameters.of(config.text()).shapes().keySet());
        return others;
    }

    /** Keys and values are as exact as the weights are. */
    private static CpuLlamaModel onKernels(
            Map<String, TensorEntry> tensors, LlavaConfig config, Consumer<String> damaged) {
        return new CpuLlamaModel(
                config.text(),
                new StoredWeights(tensors, damaged),
                isNarrow(tensors, config) ? DType.F16 : DType.F32,
                Kernels.instance(),
                Workers.shared());
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
            LlavaModel model = build(directory, merged.config(), tensors, device, merged::close);
            loaded = true;
            Path tokenizer = merged.tokenizer();
            return new Loaded(model, () -> SentencePieceTokenizer.load(tokenizer));
        } finally {
            if (!loaded) {
                merged.close();
            }
        }
    }

    private static void warnOfNotFinite(Path directory, List<String> names) {
        LOG.warn(
                "{}: {} of its tensors hold NaN or infinity, the first one is {}; answers may be nonsense",
                directory,
                names.size(),
                names.getFirst());
    }

    /**
     * Tensors as inference reads them. On the CPU the matrices of tower and projector are packed for the kernels in the type
     * that their file has; other tensors lie over the mapped files where possible, with matrices of 16 bits upcast where they
     * are used. Everything else is copied as 32-bit floats, to a GPU in the type of {@link ComputePrecision#inUse}.
     *
     * @param tensors must stay open as long as the result is used; the result must not be written to
     * @param device on devices other than {@code cpu} everything is copied
     * @param damaged receives the names of packed matrices that hold NaN or infinity
     */
    public static Weights mapped(Map<String, TensorEntry> tensors, String device, Consumer<String> damaged) {
        Device place = Engine.device(device);
        Weights weights = new Weights();
        StoredWeights stored = new StoredWeights(tensors, damaged);
        tensors.forEach((name, entry) -> Engine.scope("loading " + name, () -> {
            if (place.is_cpu() && isLinearLayer(entry)) {
                weights.put(name, stored.pack(name, entry.shape()[0], entry.shape()[1], Workers.shared()));
            } else if (!place.is_cpu() || !(entry.dtype() == DType.F32 || isUpcastInUse(entry))) {
                weights.put(name, copy(entry, place, ComputePrecision.inUse()));
            } else if (isAligned(entry)) {
                weights.put(name, Tensors.over(entry.data(), type(entry.dtype()), entry.shape()));
            } else {
                weights.put(name, Tensors.copyOf(entry.data(), type(entry.dtype()), entry.shape()));
            }
            return null;
        }));
        return weights;
    }

    /** Matrices of tower and projector; those of a language model may also be its embedding table. */
    private static boolean isLinearLayer(TensorEntry entry) {
        return entry.shape().length == 2
                && CanonicalNames.isOfImages(entry.name())
                && !entry.name().endsWith("position_embedding.weight");
    }

    /** Whether a tensor can lie over the file; never computes its elements. */
    private static boolean isAligned(TensorEntry entry) {
        return entry.content() instanceof TensorEntry.Stored stored
                && stored.data().isNative()
                && stored.data().address() % entry.dtype().bytes() == 0;
    }

    /** Linear layers and the embedding table; norms, biases, convolutions and positions are small and loaded as 32-bit floats. */
    private static boolean isUpcastInUse(TensorEntry entry) {
        return (entry.dtype() == DType.F16 || entry.dtype() == DType.BF16)
                && entry.shape().length == 2
                && !entry.name().endsWith("position_embedding.weight");
    }

    private static torch.ScalarType type(DType type) {
        return switch (type) {
            case F32 -> torch.ScalarType.Float;
            case F16 -> torch.ScalarType.Half;
            case BF16 -> torch.ScalarType.BFloat16;
            default -> throw new IllegalArgumentException(type.name());
        };
    }

    /** Copies stored tensors to a device as 32-bit floats, under their names. */
    public static Weights weights(Map<String, TensorEntry> tensors, String device) {
        Weights weights = new Weights();
        addTo(weights, tensors, device, name -> ComputePrecision.FP32);
        return weights;
    }

    /**
     * Copies stored tensors to a device and adds them to {@code weights}.
     *
     * @param precision whose type a tensor gets, by its name
     */
    public static void addTo(
            Weights weights,
            Map<String, TensorEntry> tensors,
            String device,
            Function<String, ComputePrecision> precision) {
        Device place = Engine.device(device);
        tensors.forEach((name, entry) -> Engine.scope("loading " + name, () -> {
            weights.put(name, copy(entry, place, precision.apply(name)));
            return null;
        }));
    }

    private static Tensor copy(TensorEntry entry, Device place, ComputePrecision precision) {
        return Tensors.of(entry.toFloats(), entry.shape()).to(place, precision.type());
    }
}
