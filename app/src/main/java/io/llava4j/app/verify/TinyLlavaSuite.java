package io.llava4j.app.verify;

import io.llava4j.LlavaException;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.WeightFiles;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.checkpoint.layout.WeightFile;
import io.llava4j.checkpoint.safetensors.SafeTensors;
import io.llava4j.generate.EngineWeights;
import io.llava4j.generate.ModelLoader;
import io.llava4j.model.LlamaModel;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.cpu.CpuImageEncoder;
import io.llava4j.tensor.ComputePrecision;
import io.llava4j.tensor.Weights;
import io.llava4j.tensor.format.DType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The network against recorded tensors, in 32-bit arithmetic: vision tower, projector, splice, language model, loss and greedy
 * decoding, for every checkpoint of a model folder and every {@code expected/CASE.safetensors} in it.
 *
 * <p>A case was made from weights of one precision: that of its name ({@code bf16_…}, {@code fp16_…}), otherwise the
 * highest one in the folder. A checkpoint of this precision must agree to rounding; fp16 weights are compared with fp32
 * cases too, by the logits only.
 */
public final class TinyLlavaSuite implements Suite {
    static final String NAME = "tiny-llava";
    private static final String EXPECTED = "expected";
    private static final String EOS = "eos_stop.json";

    private final @Nullable Target target;

    /** A device on which the tensor engine computes the whole network. */
    private record Target(String device, ComputePrecision precision) {
        Weights weights(Checkpoint checkpoint) {
            precision.use(device);
            Weights weights = new Weights();
            EngineWeights.addTo(weights, checkpoint.tensors(), device, name -> precision);
            return weights;
        }
    }

    /** Compares on the CPU what answers and training use there. */
    public TinyLlavaSuite() {
        this.target = null;
    }

    /**
     * Compares the tensor engine's network on a device, without answers. In bf16 and tf32 the bounds follow from the precision.
     *
     * @param device {@code cpu} or {@code cuda:N}
     * @param precision it computes in
     */
    public TinyLlavaSuite(String device, ComputePrecision precision) {
        this.target = new Target(device, precision);
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public boolean accepts(Path dir) {
        return isModelFolder(dir)
                || ModelFolder.list(dir, TinyLlavaSuite::isModelFolder)
                        .findAny()
                        .isPresent();
    }

    @Override
    public void run(Path dir, Consumer<CaseResult> out) {
        if (isModelFolder(dir)) {
            model(dir, out);
            return;
        }
        ModelFolder.list(dir, Files::isDirectory).forEach(child -> {
            if (isModelFolder(child)) {
                model(child, out);
            } else {
                out.accept(CaseResult.skipped(
                        NAME, ModelFolder.name(child), "the folder holds no expected/*.safetensors"));
            }
        });
    }

    private static boolean isModelFolder(Path dir) {
        return ModelFolder.list(dir.resolve(EXPECTED), ModelFolder::isSafeTensors)
                .findAny()
                .isPresent();
    }

    private void model(Path folder, Consumer<CaseResult> out) {
        List<Path> checkpoints = ModelFolder.checkpoints(folder);
        if (checkpoints.isEmpty()) {
            out.accept(CaseResult.exact(NAME, ModelFolder.name(folder), false, "the folder holds no checkpoint"));
        }
        twins(folder, out);
        Optional<DType> best = checkpoints.stream()
                .flatMap(path -> ModelFolder.precision(path).stream())
                .min(Comparator.naturalOrder());
        for (Path path : checkpoints) {
            String label = ModelFolder.name(folder) + "/" + ModelFolder.name(path);
            attempt(label, out, () -> checkpoint(folder, path, label, best.orElse(DType.F32), out));
        }
    }

    /** A file that is there in both formats holds the same tensors in both. */
    private static void twins(Path folder, Consumer<CaseResult> out) {
        ModelFolder.list(folder, ModelFolder::isSafeTensors).forEach(safe -> {
            Path torch = folder.resolve(ModelFolder.name(safe).replace(".safetensors", ".bin"));
            if (Files.isRegularFile(torch)) {
                String label = ModelFolder.name(folder) + "/" + ModelFolder.name(torch);
                attempt(label, out, () -> {
                    try (WeightFile one = WeightFiles.openFile(torch);
                            WeightFile other = WeightFiles.openFile(safe)) {
                        twins(label, one.tensors(), other.tensors(), out);
                    }
                });
            }
        });
    }

    private static void twins(
            String label, Map<String, TensorEntry> one, Map<String, TensorEntry> other, Consumer<CaseResult> out) {
        List<String> different = Stream.concat(one.keySet().stream(), other.keySet().stream())
                .distinct()
                .filter(name -> !same(one.get(name), other.get(name)))
                .toList();
        out.accept(CaseResult.exact(
                NAME,
                "%s as in safetensors (%d)".formatted(label, other.size()),
                different.isEmpty(),
                "they differ in " + different));
    }

    private static boolean same(@Nullable TensorEntry one, @Nullable TensorEntry other) {
        return one != null
                && other != null
                && one.dtype() == other.dtype()
                && Arrays.equals(one.shape(), other.shape())
                && one.data().mismatch(other.data()) == -1;
    }

    private void checkpoint(Path folder, Path path, String label, DType best, Consumer<CaseResult> out) {
        try (Checkpoint checkpoint = Checkpoint.open(path).requireComplete()) {
            if (!(checkpoint.kind() instanceof ModelKind.Llava llava)) {
                out.accept(CaseResult.skipped(
                        NAME, label, checkpoint.kind().label() + ": compared as a part of the models that use it"));
                return;
            }
            if (checkpoint.isQuantised()) {
                out.accept(CaseResult.skipped(NAME, label, "no case is recorded with quantised weights"));
                return;
            }
            DType own = ModelFolder.precision(checkpoint);
            boolean uniform = ModelFolder.holdsOnly(checkpoint, own);
            int compared = 0;
            try (Weights weights =
                            target == null ? EngineWeights.mapped(checkpoint.tensors()) : target.weights(checkpoint);
                    CpuImageEncoder encoder = ModelLoader.imageEncoder(checkpoint, null)) {
                ModelCase.Network network = target == null
                        ? new ModelCase.Network(
                                config -> new LlavaModel(
                                        config,
                                        weights,
                                        encoder.tower(),
                                        encoder.projector(),
                                        new LlamaModel(config.text(), weights)),
                                ComputePrecision.FP32,
                                true)
                        : new ModelCase.Network(config -> new LlavaModel(config, weights), target.precision(), false);
                for (Path file : ModelFolder.list(folder.resolve(EXPECTED), ModelFolder::isSafeTensors)
                        .toList()) {
                    DType wanted = precisionOfCase(ModelFolder.name(file)).orElse(best);
                    boolean rounded = own == DType.F16 && wanted == DType.F32;
                    if (uniform && own == wanted || rounded) {
                        compared++;
                        String row = label + " " + ModelFolder.name(file).replace(".safetensors", "");
                        attempt(row, out, () -> {
                            try (SafeTensors tensors = SafeTensors.open(file)) {
                                new ModelCase(row, tensors, llava.config(), network, out).run(rounded);
                            }
                        });
                    }
                }
                Path eos = folder.resolve(EXPECTED).resolve(EOS);
                if (target == null && uniform && own == best && Files.isRegularFile(eos)) {
                    EosCases.run(label, eos, recordedCases(folder), llava.config(), weights, out);
                }
            }
            if (compared == 0) {
                out.accept(CaseResult.skipped(
                        NAME,
                        label,
                        "no case was recorded with %s weights%s"
                                .formatted(own, uniform ? "" : " whose vectors are not rounded to " + own)));
            }
        }
    }

    /** Cases the highest precision of the folder was recorded with. */
    private static List<Path> recordedCases(Path folder) {
        return ModelFolder.list(folder.resolve(EXPECTED), ModelFolder::isSafeTensors)
                .filter(file -> precisionOfCase(ModelFolder.name(file)).isEmpty())
                .toList();
    }

    private static Optional<DType> precisionOfCase(String name) {
        if (name.startsWith("bf16_")) {
            return Optional.of(DType.BF16);
        }
        return name.startsWith("fp16_") ? Optional.of(DType.F16) : Optional.empty();
    }

    private static void attempt(String label, Consumer<CaseResult> out, Runnable run) {
        try {
            run.run();
        } catch (LlavaException e) {
            out.accept(CaseResult.exact(NAME, label, false, String.valueOf(e.getMessage())));
        }
    }
}
