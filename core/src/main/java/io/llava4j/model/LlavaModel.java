package io.llava4j.model;

import io.llava4j.DataException;
import io.llava4j.image.tile.FeatureOrder;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.LoraConfig;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.text.Prompt;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * LLaVA-1.5: vision tower, projector and language model, and the splice that replaces image placeholders by image tokens
 * (docs/reference/model.md#splice). Training, decoding, checks and measurements all assemble their input
 * here.
 *
 * <p>The vision tower runs without gradients, as both stages freeze it (paper, section 3.1;
 * docs/reference/training.md#trainable-parameters).
 */
public final class LlavaModel implements AutoCloseable {
    private final LlavaConfig config;
    private final Weights weights;
    private final VisionTower visionTower;
    private final Projector projector;
    private final LanguageModel languageModel;

    /**
     * Builds the network on its tensors, which {@link #close} frees.
     *
     * @param config shape and behaviour
     * @param weights canonical names
     */
    public LlavaModel(LlavaConfig config, Weights weights) {
        this(config, weights, (LoraConfig) null);
    }

    /**
     * As {@link #LlavaModel(LlavaConfig, Weights)}, with adapters of the language model to be trained.
     *
     * @param lora of the adapters, whose tensors are among the weights; null where there are none
     */
    public LlavaModel(LlavaConfig config, Weights weights, @Nullable LoraConfig lora) {
        this(config, weights, new LlamaModel(config.text(), weights, lora));
    }

    /**
     * A model whose language model computes elsewhere.
     *
     * @param weights of vision tower and projector
     * @param languageModel closed by {@link #close}
     */
    public LlavaModel(LlavaConfig config, Weights weights, LanguageModel languageModel) {
        this(config, weights, VisionTower.of(config, weights), Projector.of(config, weights), languageModel);
    }

    /**
     * A model of parts that may compute elsewhere; {@link #close} closes them.
     *
     * @param weights what the parts read of the tensor engine
     */
    public LlavaModel(
            LlavaConfig config,
            Weights weights,
            VisionTower visionTower,
            Projector projector,
            LanguageModel languageModel) {
        this.config = config;
        this.weights = weights;
        this.languageModel = languageModel;
        this.visionTower = visionTower;
        this.projector = projector;
    }

    /** Shape and behaviour of the network. */
    public LlavaConfig config() {
        return config;
    }

    /** The tensors by canonical name. */
    public Weights weights() {
        return weights;
    }

    /** What turns pixels into image features. */
    public VisionTower visionTower() {
        return visionTower;
    }

    /** What turns image features into image tokens. */
    public Projector projector() {
        return projector;
    }

    /** What reads the spliced sequences and writes the answer. */
    public LanguageModel languageModel() {
        return languageModel;
    }

    /**
     * The language model as a network of the tensor engine, which can be trained.
     *
     * @throws IllegalStateException if it computes elsewhere
     */
    public LlamaModel llama() {
        if (languageModel instanceof LlamaModel llama) {
            return llama;
        }
        throw new IllegalStateException("the language model runs on the CPU kernels, which have no gradients");
    }

    /**
     * A batch of sequences whose image placeholders are replaced by image tokens.
     *
     * @param embeds {@code [batch, longest, hidden]}; zero after a sequence's end. Packed sequences follow each other
     *     without padding: {@code [1, sum of lengths, hidden]}
     * @param lengths real tokens of each sequence
     * @param labels {@code [batch][longest]}, of packed sequences {@code [batch][own length]};
     *     {@link Prompt#IGNORE_INDEX} on images, padding and unsupervised text
     */
    public record Spliced(Tensor embeds, int[] lengths, int[][] labels) {}

    /**
     * What the language model computed for a batch. Logits are left to the caller ({@link LanguageModel#logits}), who often
     * needs them at a few positions only.
     *
     * @param sequences what it read
     * @param hidden states before the final norm, {@code [batch, longest, hidden]}
     */
    public record Output(Spliced sequences, Tensor hidden) {}

    /**
     * As {@link Output}, of a pass whose gradients are wanted.
     *
     * @param sequences what the language model read
     * @param pass holds the hidden states and continues the loss's backward pass
     */
    public record TrainingOutput(Spliced sequences, TrainingPass pass) {}

    /** Reads whole sequences, from ids and pixels to hidden states. */
    public Output forward(ModelInput input) {
        return forward(input, state -> {});
    }

    /** {@link #forward(ModelInput)}, showing the input of every block of the language model as well. */
    public Output forward(ModelInput input, Consumer<Tensor> inputOfBlock) {
        Spliced sequences = assemble(input);
        return new Output(sequences, languageModel.hiddenStates(sequences.embeds(), inputOfBlock));
    }

    /** {@link #forward(ModelInput)} of a model whose weights come and go; the head is the caller's. */
    public Output forward(ModelInput input, PassListener listener) {
        listener.before(PassListener.INPUTS);
        Spliced sequences = assemble(input);
        listener.afterForward(PassListener.INPUTS);
        return new Output(sequences, llama().hiddenStates(sequences.embeds(), listener));
    }

    /**
     * How a pass with gradients is computed.
     *
     * @param checkpointing whether blocks are computed again in the backward pass instead of being kept
     * @param packed whether sequences follow each other without padding; each sees itself only, from position 0
     * @param seed of the adapters' dropout
     * @param listener follows the parts of the network
     */
    public record TrainingMode(boolean checkpointing, boolean packed, long seed, PassListener listener) {
        /** A pass that nobody follows. */
        public TrainingMode(boolean checkpointing, boolean packed, long seed) {
            this(checkpointing, packed, seed, PassListener.NONE);
        }
    }

    /** {@link #forward(ModelInput)} with gradients. */
    public TrainingOutput train(ModelInput input, TrainingMode mode) {
        return train(input, () -> encode(input.images()), mode);
    }

    /** {@link #train(ModelInput, TrainingMode)} with images that are encoded otherwise. */
    public TrainingOutput train(ModelInput input, Supplier<ImageTokens> images, TrainingMode mode) {
        mode.listener().before(PassListener.INPUTS);
        Spliced sequences = assemble(input, images.get(), mode.packed());
        mode.listener().afterForward(PassListener.INPUTS);
        TrainingPass pass = llama().train(
                        sequences.embeds(),
                        mode.packed() ? sequences.lengths() : null,
                        mode.checkpointing(),
                        mode.seed(),
                        mode.listener());
        return new TrainingOutput(sequences, pass);
    }

    /** Vision tower, projector and splice: what the language model reads of a batch. */
    public Spliced assemble(ModelInput input) {
        return assemble(input, encode(input.images()));
    }

    /**
     * {@link #assemble(ModelInput)} with images that are encoded already, for batches that show the same ones.
     *
     * @param images tokens of the input's images
     * @throws DataException if placeholders and images do not match in number
     */
    public Spliced assemble(ModelInput input, ImageTokens images) {
        return assemble(input, images, false);
    }

    private Spliced assemble(ModelInput input, ImageTokens images, boolean packed) {
        SplicePlan plan = SplicePlan.of(input, images.counts(), config.maxSequenceLength(), packed);
        long[] ids = plan.textIds();
        Tensor text = languageModel.embed(onDevice(Tensors.of(ids, ids.length)));
        Tensor zero = torch.zeros(new long[] {1, config.text().hiddenSize()}, text.options());
        Tensor table =
                images.packed() == null ? Tensors.cat(0, text, zero) : Tensors.cat(0, text, images.packed(), zero);
        int batch = packed ? 1 : plan.lengths().length;
        Tensor embeds = table.index_select(0, onDevice(Tensors.of(plan.source(), plan.source().length)))
                .view(batch, plan.source().length / batch, config.text().hiddenSize());
        return new Spliced(embeds, plan.lengths(), plan.labels());
    }

    private Tensor onDevice(Tensor index) {
        return index.to(languageModel.like().device(), torch.ScalarType.Long);
    }

    /**
     * Vision tower and projector.
     *
     * @throws DataException if an image's views are not of the tower's size
     */
    public ImageTokens encode(List<PreparedImage> images) {
        if (images.isEmpty()) {
            return ImageTokens.NONE;
        }
        Tensor features = projector.forward(Engine.freeingIntermediates(() -> visionFeatures(pixels(images))));
        return arranged(features, images.stream().map(PreparedImage::order).toList());
    }

    /**
     * Image tokens in their order.
     *
     * @param tokens of all views of all images as the projector gives them, {@code [views, features, hidden]}
     * @param orders of each image
     */
    public ImageTokens arranged(Tensor tokens, List<FeatureOrder> orders) {
        return orders.stream().allMatch(FeatureOrder::isOneView)
                ? ImageTokens.ofEqual(tokens)
                : ImageTokens.arranged(tokens, orders, config.hasRowEnd() ? projector.rowEnd() : null);
    }

    /** One tensor of all views of normalised images on the model's device: {@code [views, 3, size, size]}. */
    public Tensor pixels(List<PreparedImage> images) {
        int size = visionTower.imageSize();
        int each = 3 * size * size;
        int views = images.stream().mapToInt(image -> image.order().views()).sum();
        float[] all = new float[Math.multiplyExact(views, each)];
        int at = 0;
        for (PreparedImage image : images) {
            image.requireViewsOf(size);
            System.arraycopy(image.pixels(), 0, all, at, image.pixels().length);
            at += image.pixels().length;
        }
        Tensor like = languageModel.like();
        return Tensors.of(all, views, 3, size, size).to(like.device(), like.scalar_type());
    }

    /**
     * Features of images, without gradients unless the vision tower is trainable:
     * {@code [images, 3, size, size] -> [images, tokens, vision hidden]}.
     */
    public Tensor visionFeatures(Tensor pixels) {
        if (visionTower.isTrainable()) {
            return visionTower.features(pixels);
        }
        try (NoGradGuard frozen = new NoGradGuard()) {
            return visionTower.features(pixels);
        }
    }

    @Override
    public void close() {
        languageModel.close();
        projector.close();
        visionTower.close();
        weights.close();
    }
}
