package io.llava4j.checkpoint.layout;

import io.llava4j.CheckpointException;
import io.llava4j.model.config.ClipParameters;
import io.llava4j.model.config.LlamaParameters;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.Parameters;
import io.llava4j.model.config.ProjectorType;
import io.llava4j.tensor.format.DType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/** The canonical tensors and shapes a configuration calls for (docs/reference/model.md#llava-layout). */
public final class ExpectedTensors {
    private static final int SHOWN = 5;

    /** What a stored tensor is, apart from its data. */
    public record TensorInfo(DType dtype, long[] shape) {}

    private final SequencedMap<String, long[]> shapes = new LinkedHashMap<>();

    private ExpectedTensors() {}

    /** What a checkpoint of this kind holds. */
    public static ExpectedTensors of(ModelKind kind) {
        ExpectedTensors expected = new ExpectedTensors();
        switch (kind) {
            case ModelKind.Llava model -> {
                LlavaConfig config = model.config();
                expected.add(LlamaParameters.of(config.text()));
                expected.add(new ModelKind.Projector(
                        config.projectorType(),
                        config.vision().hiddenSize(),
                        config.text().hiddenSize()));
                if (config.hasRowEnd()) {
                    expected.add(new Parameters.Single(
                            CanonicalNames.ROW_END, config.text().hiddenSize()));
                }
                expected.add(ClipParameters.of(config.vision()));
            }
            case ModelKind.Clip clip -> expected.add(ClipParameters.of(clip.vision()));
            case ModelKind.Llama llama -> expected.add(LlamaParameters.of(llama.text()));
            case ModelKind.Projector projector -> expected.add(projector);
        }
        return expected;
    }

    private void add(Parameters parameters) {
        parameters.addTo(shapes);
    }

    private void add(ModelKind.Projector projector) {
        ProjectorType.parse(projector.projectorType())
                .parameters(projector.visionHiddenSize(), projector.textHiddenSize())
                .forEach(this::add);
    }

    /** Shapes by canonical name. */
    public SequencedMap<String, long[]> shapes() {
        return shapes;
    }

    /**
     * Compares with what a checkpoint holds.
     *
     * @param where the checkpoint, for the message
     * @param tensors what is there, by canonical name
     * @param unknown names that have no canonical one
     * @throws CheckpointException naming the first few tensors that are missing, unexpected, of the wrong shape or no
     *     floating-point numbers
     */
    public void require(Path where, Map<String, TensorInfo> tensors, Collection<String> unknown) {
        List<String> missing = new ArrayList<>();
        List<String> misshapen = new ArrayList<>();
        shapes.forEach((name, shape) -> {
            TensorInfo tensor = tensors.get(name);
            if (tensor == null) {
                missing.add(name);
            } else if (!Arrays.equals(tensor.shape(), shape)) {
                misshapen.add("%s is %s where the configuration calls for %s"
                        .formatted(name, Arrays.toString(tensor.shape()), Arrays.toString(shape)));
            } else if (!tensor.dtype().isFloating()) {
                misshapen.add("%s is %s".formatted(name, tensor.dtype()));
            }
        });
        List<String> unexpected = new ArrayList<>(unknown);
        for (String name : tensors.keySet()) {
            if (!shapes.containsKey(name)) {
                unexpected.add(name);
            }
        }
        List<String> problems = new ArrayList<>();
        describe(problems, "missing", missing);
        describe(problems, "unexpected", unexpected);
        describe(problems, "of the wrong shape or type", misshapen);
        if (!problems.isEmpty()) {
            throw new CheckpointException("%s does not fit its configuration: %s; check that all files belong together"
                    .formatted(where, String.join("; ", problems)));
        }
    }

    private static void describe(List<String> problems, String what, List<String> tensors) {
        if (!tensors.isEmpty()) {
            String others = tensors.size() > SHOWN ? " and %d more".formatted(tensors.size() - SHOWN) : "";
            problems.add("%d %s %s: %s%s"
                    .formatted(
                            tensors.size(),
                            tensors.size() == 1 ? "tensor is" : "tensors are",
                            what,
                            String.join(", ", tensors.subList(0, Math.min(SHOWN, tensors.size()))),
                            others));
        }
    }
}
