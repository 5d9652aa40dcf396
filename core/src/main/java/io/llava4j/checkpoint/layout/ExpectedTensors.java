package io.llava4j.checkpoint.layout;

import static io.llava4j.checkpoint.layout.CanonicalNames.TOWER;

import io.llava4j.CheckpointException;
import io.llava4j.model.LlavaConfig;
import io.llava4j.model.TextConfig;
import io.llava4j.model.VisionConfig;
import io.llava4j.tensor.format.DType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The canonical tensors and shapes a configuration calls for (docs/reference/model.md#llava-layout). */
public final class ExpectedTensors {
    private static final Pattern MLP = Pattern.compile("mlp([1-9]\\d?)x_gelu");
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
                expected.decoder(config.text());
                expected.projector(
                        config.projectorType(),
                        config.vision().hiddenSize(),
                        config.text().hiddenSize());
                expected.tower(config.vision());
            }
            case ModelKind.Clip clip -> expected.tower(clip.vision());
            case ModelKind.Llama llama -> expected.decoder(llama.text());
            case ModelKind.Projector projector ->
                expected.projector(projector.projectorType(), projector.visionHiddenSize(), projector.textHiddenSize());
        }
        return expected;
    }

    /** Shapes by canonical name. */
    public SequencedMap<String, long[]> shapes() {
        return shapes;
    }

    private void decoder(TextConfig text) {
        long hidden = text.hiddenSize();
        long inner = text.intermediateSize();
        long query = (long) text.heads() * text.headDim();
        long keyValue = (long) text.kvHeads() * text.headDim();
        add(CanonicalNames.EMBED_TOKENS, text.vocabSize(), hidden);
        for (int i = 0; i < text.layers(); i++) {
            String layer = CanonicalNames.LAYERS + i + ".";
            add(layer + "self_attn.q_proj.weight", query, hidden);
            add(layer + "self_attn.k_proj.weight", keyValue, hidden);
            add(layer + "self_attn.v_proj.weight", keyValue, hidden);
            add(layer + "self_attn.o_proj.weight", hidden, query);
            add(layer + "mlp.gate_proj.weight", inner, hidden);
            add(layer + "mlp.up_proj.weight", inner, hidden);
            add(layer + "mlp.down_proj.weight", hidden, inner);
            add(layer + "input_layernorm.weight", hidden);
            add(layer + "post_attention_layernorm.weight", hidden);
        }
        add(CanonicalNames.NORM, hidden);
        if (!text.tieWordEmbeddings()) {
            add(CanonicalNames.LM_HEAD, text.vocabSize(), hidden);
        }
    }

    private void projector(String type, long visionHidden, long textHidden) {
        if (type.equals("linear")) {
            linear("model.mm_projector", textHidden, visionHidden);
        }
        Matcher mlp = MLP.matcher(type);
        int linears = mlp.matches() ? Integer.parseInt(mlp.group(1)) : 0;
        for (int i = 0; i < linears; i++) {
            linear(CanonicalNames.PROJECTOR + 2 * i, textHidden, i == 0 ? visionHidden : textHidden);
        }
    }

    public static boolean isProjectorType(String type) {
        return type.equals("linear")
                || type.equals("identity")
                || MLP.matcher(type).matches();
    }

    private void tower(VisionConfig vision) {
        long hidden = vision.hiddenSize();
        long inner = vision.intermediateSize();
        add(TOWER + "embeddings.class_embedding", hidden);
        if (vision.stemChannels().isEmpty()) {
            add(CanonicalNames.PATCH_EMBEDDING + "weight", hidden, 3, vision.patchSize(), vision.patchSize());
        } else {
            convolutionalStem(vision.stemChannels(), hidden);
        }
        add(TOWER + "embeddings.position_embedding.weight", vision.patches() + 1L, hidden);
        norm(TOWER + "pre_layrnorm", hidden);
        for (int i = 0; i < vision.layers(); i++) {
            String layer = TOWER + "encoder.layers." + i + ".";
            norm(layer + "layer_norm1", hidden);
            for (String projection : List.of("q_proj", "k_proj", "v_proj", "out_proj")) {
                linear(layer + "self_attn." + projection, hidden, hidden);
            }
            norm(layer + "layer_norm2", hidden);
            linear(layer + "mlp.fc1", inner, hidden);
            linear(layer + "mlp.fc2", hidden, inner);
        }
        norm(TOWER + "post_layernorm", hidden);
    }

    private void convolutionalStem(List<Integer> channels, long hidden) {
        long in = 3;
        for (int i = 0; i < channels.size(); i++) {
            String stage = CanonicalNames.PATCH_EMBEDDING + "stages." + i + ".";
            long out = channels.get(i);
            convolution(stage + "down", out, in);
            norm(stage + "norm1", out);
            convolution(stage + "conv1", out, out);
            norm(stage + "norm2", out);
            convolution(stage + "conv2", out, out);
            in = out;
        }
        add(CanonicalNames.PATCH_EMBEDDING + "projection.weight", hidden, in);
    }

    private void convolution(String name, long out, long in) {
        add(name + ".weight", out, in, 3, 3);
        add(name + ".bias", out);
    }

    private void linear(String name, long out, long in) {
        add(name + ".weight", out, in);
        add(name + ".bias", out);
    }

    private void norm(String name, long hidden) {
        add(name + ".weight", hidden);
        add(name + ".bias", hidden);
    }

    private void add(String name, long... shape) {
        shapes.put(name, shape);
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
            String rest = tensors.size() > SHOWN ? " and %d more".formatted(tensors.size() - SHOWN) : "";
            problems.add("%d %s %s: %s%s"
                    .formatted(
                            tensors.size(),
                            tensors.size() == 1 ? "tensor is" : "tensors are",
                            what,
                            String.join(", ", tensors.subList(0, Math.min(SHOWN, tensors.size()))),
                            rest));
        }
    }
}
