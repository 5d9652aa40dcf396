package io.llava4j.model.config;

import io.llava4j.model.Linear;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.IntStream;

/** The tensors of CLIP's vision tower (docs/reference/model.md#vision-tower). */
public record ClipParameters(
        Single classEmbedding,
        PatchEmbedding patchEmbedding,
        Single positionEmbedding,
        Norm preNorm,
        List<Block> blocks,
        Norm postNorm)
        implements Parameters {
    /** Prefix of every name; CLIP's own name after {@code vision_model.} follows it. */
    public static final String PREFIX = "model.vision_tower.vision_tower.vision_model.";

    /** Prefix of the patch embedding, and of the stages of a convolutional stem. */
    public static final String PATCH_EMBEDDING = PREFIX + "embeddings.patch_embedding.";

    /** The tensors of a tower of that shape. */
    public static ClipParameters of(VisionConfig config) {
        long hidden = config.hiddenSize();
        return new ClipParameters(
                new Single(PREFIX + "embeddings.class_embedding", hidden),
                PatchEmbedding.of(config),
                new Single(PREFIX + "embeddings.position_embedding.weight", config.patches() + 1L, hidden),
                // The misspelling is CLIP's own.
                new Norm(PREFIX + "pre_layrnorm.", hidden, true),
                IntStream.range(0, config.layers())
                        .mapToObj(
                                i -> Block.of(PREFIX + "encoder.layers." + i + ".", hidden, config.intermediateSize()))
                        .toList(),
                new Norm(PREFIX + "post_layernorm.", hidden, true));
    }

    @Override
    public void addTo(SequencedMap<String, long[]> shapes) {
        classEmbedding.addTo(shapes);
        patchEmbedding.addTo(shapes);
        positionEmbedding.addTo(shapes);
        preNorm.addTo(shapes);
        blocks.forEach(block -> block.addTo(shapes));
        postNorm.addTo(shapes);
    }

    /** A transformer block of CLIP's vision or text tower. */
    public record Block(
            Norm norm1, Linear query, Linear key, Linear value, Linear out, Norm norm2, Linear fc1, Linear fc2)
            implements Parameters {
        /**
         * The tensors of one block.
         *
         * @param prefix of its tensors, which ends with a dot
         * @param hidden width of the hidden states
         * @param inner width of the MLP
         */
        public static Block of(String prefix, long hidden, long inner) {
            return new Block(
                    new Norm(prefix + "layer_norm1.", hidden, true),
                    new Linear(prefix + "self_attn.q_proj.", hidden, hidden, true),
                    new Linear(prefix + "self_attn.k_proj.", hidden, hidden, true),
                    new Linear(prefix + "self_attn.v_proj.", hidden, hidden, true),
                    new Linear(prefix + "self_attn.out_proj.", hidden, hidden, true),
                    new Norm(prefix + "layer_norm2.", hidden, true),
                    new Linear(prefix + "mlp.fc1.", inner, hidden, true),
                    new Linear(prefix + "mlp.fc2.", hidden, inner, true));
        }

        @Override
        public void addTo(SequencedMap<String, long[]> shapes) {
            List.of(norm1, query, key, value, out, norm2, fc1, fc2).forEach(part -> part.addTo(shapes));
        }
    }

    /** What turns pixels into patch embeddings. */
    public sealed interface PatchEmbedding extends Parameters {
        /** CLIP's patch convolution, or a stem where the configuration has one. */
        static PatchEmbedding of(VisionConfig config) {
            return config.stemChannels().isEmpty()
                    ? new Patches(new Convolution(PATCH_EMBEDDING, config.hiddenSize(), 3, config.patchSize(), false))
                    : Stem.of(config);
        }
    }

    /** CLIP's own: one convolution whose stride is its kernel. */
    public record Patches(Convolution convolution) implements PatchEmbedding {
        @Override
        public void addTo(SequencedMap<String, long[]> shapes) {
            convolution.addTo(shapes);
        }
    }

    /** Residual stages, each of which halves the resolution, and a projection of every patch. */
    public record Stem(List<Stage> stages, Linear projection) implements PatchEmbedding {
        /** Channels that share a mean and a variance. */
        public static final int GROUP_CHANNELS = 8;

        /** What is added to a variance. */
        public static final double EPSILON = 1e-5;

        static Stem of(VisionConfig config) {
            List<Stage> stages = new ArrayList<>();
            long in = 3;
            for (long out : config.stemChannels()) {
                stages.add(Stage.of(PATCH_EMBEDDING + "stages." + stages.size() + ".", out, in));
                in = out;
            }
            return new Stem(
                    List.copyOf(stages), new Linear(PATCH_EMBEDDING + "projection.", config.hiddenSize(), in, false));
        }

        @Override
        public void addTo(SequencedMap<String, long[]> shapes) {
            stages.forEach(stage -> stage.addTo(shapes));
            projection.addTo(shapes);
        }
    }

    /** One stage of a stem: a convolution of stride 2, then a residual branch of two normed convolutions. */
    public record Stage(Convolution down, Norm norm1, Convolution conv1, Norm norm2, Convolution conv2)
            implements Parameters {
        static Stage of(String prefix, long out, long in) {
            return new Stage(
                    new Convolution(prefix + "down.", out, in, 3, true),
                    new Norm(prefix + "norm1.", out, true),
                    new Convolution(prefix + "conv1.", out, out, 3, true),
                    new Norm(prefix + "norm2.", out, true),
                    new Convolution(prefix + "conv2.", out, out, 3, true));
        }

        @Override
        public void addTo(SequencedMap<String, long[]> shapes) {
            List.of(down, norm1, conv1, norm2, conv2).forEach(part -> part.addTo(shapes));
        }
    }
}
