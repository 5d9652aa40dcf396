package io.llava4j.train.run.feature;

import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.image.AspectMode;
import io.llava4j.model.ImageTokens;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.tensor.ComputePrecision;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.train.data.DataConfig;
import io.llava4j.train.data.ImageInput;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeSet;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The image features of a frozen vision tower, from a {@link FeatureCache} or computed and added to it. They are kept in the
 * type in which the run computes them, so a cached feature is the computed one to the last bit. An image is computed alone,
 * because rounding may depend on what else is in a batch.
 */
public final class CachedTower {
    private final FeatureCache cache;

    private CachedTower(FeatureCache cache) {
        this.cache = cache;
    }

    /**
     * Opens a cache for a model.
     *
     * @param directory of the cache
     * @param model its shape
     * @param weights with those of the vision tower, which the run does not change
     * @param data how images are prepared
     * @param precision in which the run computes
     */
    public static CachedTower open(
            Path directory, LlavaConfig model, Weights weights, DataConfig data, ComputePrecision precision) {
        AspectMode mode = data.imageAspectRatio().mode();
        String tower = String.join(
                "\n",
                digest(weights),
                model.vision().toString(),
                layers(model) + " cls " + model.keepCls(),
                mode + " " + data.orientation(),
                model.tiling().toString(),
                precision.name());
        return new CachedTower(new FeatureCache(directory, tower, model, precision));
    }

    /** The hidden states that are kept. */
    private static String layers(LlavaConfig model) {
        List<Integer> states = model.featureStates().states();
        return "layer " + (states.size() == 1 ? model.selectLayer() : states);
    }

    /** The files. */
    public FeatureCache cache() {
        return cache;
    }

    /** Hash of the tower's tensors with their names, types and shapes. */
    private static String digest(Weights weights) {
        MessageDigest sha;
        try {
            sha = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
        for (String name : new TreeSet<>(weights.names())) {
            if (name.startsWith(CanonicalNames.TOWER)) {
                Tensor tensor = weights.get(name);
                String label = name + Tensors.type(tensor) + Arrays.toString(Tensors.shape(tensor));
                sha.update(label.getBytes(StandardCharsets.UTF_8));
                Engine.inference("a hash of the vision tower", () -> {
                    sha.update(bytes(weights.read(name)));
                    return null;
                });
            }
        }
        return HexFormat.of().formatHex(sha.digest());
    }

    /** Elements as they are, of any type; called within a scope. */
    private static byte[] bytes(Tensor tensor) {
        Tensor own = tensor.detach().cpu().contiguous();
        byte[] all = new byte[Math.toIntExact(own.numel() * own.element_size())];
        MemorySegment.copy(
                MemorySegment.ofAddress(own.data_ptr().address()).reinterpret(all.length),
                ValueLayout.JAVA_BYTE,
                0,
                all,
                0,
                all.length);
        return all;
    }

    /** Where the features of a micro-batch's images came from. */
    public ImageFeatures count(List<ImageInput> images) {
        return ImageFeatures.of(images, cache.takeDamaged());
    }

    /**
     * Image tokens of a micro-batch.
     *
     * @param images with keys
     */
    public ImageTokens tokens(LlavaModel model, List<ImageInput> images) {
        if (images.isEmpty()) {
            return ImageTokens.NONE;
        }
        Tensor features = Engine.freeingIntermediates(() -> Tensors.cat(
                0, images.stream().map(image -> features(model, image)).toArray(Tensor[]::new)));
        return model.arranged(
                model.projector().forward(features),
                images.stream().map(image -> image.image().order()).toList());
    }

    /** {@code [views, tokens, hidden]}. */
    private Tensor features(LlavaModel model, ImageInput image) {
        Tensor like = model.languageModel().like();
        byte[] known = image.features();
        if (known == null) {
            Tensor computed = model.visionFeatures(model.pixels(List.of(image.image())));
            cache.put(image.key(), new FeatureCache.Entry(image.image().order(), bytes(computed)));
            return computed;
        }
        torch.ScalarType type = Tensors.type(like);
        return Tensors.copyOf(
                        MemorySegment.ofArray(known),
                        type,
                        image.image().order().views(),
                        model.visionTower().tokensPerImage(),
                        model.visionTower().featureWidth())
                .to(like.device(), type);
    }
}
