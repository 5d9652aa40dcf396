package io.llava4j.model.cpu;

import io.llava4j.model.VisionTower;
import io.llava4j.model.config.ClipParameters;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.kernel.Kernels;
import io.llava4j.tensor.kernel.RowMath;
import io.llava4j.tensor.kernel.Workers;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * CLIP's vision transformer on the CPU kernels, in the type that its weights have in the file
 * (docs/reference/model.md#vision-tower). The features of an image are the same to the last bit whatever other images are
 * read with it. States of images lie off the heap: {@code [images, positions, hidden]}.
 */
public final class CpuClipTower implements VisionTower {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;

    private final VisionConfig config;
    private final boolean keepCls;
    private final List<Integer> featureStates;
    private final float[] classEmbedding;
    private final float[] positionEmbedding;
    private final CpuLayerNorm preNorm;
    private final CpuPatchEmbedding patchEmbedding;
    private final List<CpuClipBlock> blocks = new ArrayList<>();
    private final CpuClipPass pass;
    private final @Nullable CpuVisionZip zip;
    private final Workers workers;
    private @Nullable FeatureMemory memory;

    /**
     * Brings the weights into the kernels' layout; those of blocks after the last selected hidden state are not read.
     *
     * @param weights tensors of {@link ClipParameters}
     * @throws io.llava4j.ConfigException if there is no such hidden state as the configuration selects
     */
    public CpuClipTower(LlavaConfig config, CpuWeights weights, Kernels kernels, Workers workers) {
        this.config = config.vision();
        this.keepCls = config.keepCls();
        this.featureStates = config.featureStates().states();
        this.workers = workers;
        ClipParameters names = ClipParameters.of(this.config);
        CpuLoader loader = new CpuLoader(weights, workers);
        int hidden = this.config.hiddenSize();
        this.classEmbedding = weights.vector(names.classEmbedding().name(), hidden);
        this.positionEmbedding =
                weights.vector(names.positionEmbedding().name(), (long) this.config.positions() * hidden);
        this.preNorm = loader.layerNorm(names.preNorm());
        this.patchEmbedding = CpuPatchEmbedding.of(this.config, loader, kernels);
        names.blocks().subList(0, blocks()).forEach(block -> blocks.add(CpuClipBlock.load(block, loader)));
        this.pass = new CpuClipPass(this.config, kernels, workers);
        this.zip = config.visionTokens() == 0
                ? null
                : new CpuVisionZip(this.config, blocks.getLast(), config.visionTokens(), kernels, workers);
    }

    private long stateBytes() {
        return (long) config.positions() * config.hiddenSize() * Float.BYTES;
    }

    /**
     * What the first block reads.
     *
     * @param pixels normalised, {@code [images, 3, imageSize, imageSize]}
     */
    public synchronized MemorySegment embed(float[] pixels) {
        int each = 3 * config.imageSize() * config.imageSize();
        int images = pixels.length / each;
        MemorySegment states = Arena.ofAuto().allocate(images * stateBytes(), 64);
        for (int image = 0; image < images; image++) {
            embed(pixels, image * each, states.asSlice(image * stateBytes(), stateBytes()));
        }
        return states;
    }

    private void embed(float[] pixels, int first, MemorySegment states) {
        int hidden = config.hiddenSize();
        MemorySegment.copy(classEmbedding, 0, states, FLOAT, 0, hidden);
        patchEmbedding.embed(pixels, first, states.asSlice((long) hidden * Float.BYTES));
        workers.run(config.positions(), (position, worker) -> {
            float[] x = CpuPass.get(states, position, hidden);
            for (int i = 0; i < hidden; i++) {
                x[i] += positionEmbedding[position * hidden + i];
            }
            float[] y = new float[hidden];
            RowMath.layerNorm(x, preNorm.weight(), preNorm.bias(), config.layerNormEps(), y);
            CpuPass.put(y, states, position);
        });
    }

    /** Passes states through a block, whose result replaces them. */
    public void forward(int block, MemorySegment states) {
        pass.forward(blocks.get(block), states, Math.toIntExact(states.byteSize() / stateBytes()), config.positions());
    }

    /**
     * Takes the features of an image from its states.
     *
     * @param passed blocks that the states have passed
     * @param states of the image, {@code [positions, hidden]}; the result may lie in them
     * @param features taken so far, or what is needed to choose them; {@link MemorySegment#NULL} at first
     * @return after the last block all features, {@code [tokensPerImage, featureWidth]}
     */
    public MemorySegment take(int passed, MemorySegment states, MemorySegment features) {
        if (zip != null) {
            return passed == blocks()
                    ? zip.keep(features, states)
                    : passed == blocks() - 1
                            ? Arena.ofAuto().allocate(stateBytes(), 64).copyFrom(states)
                            : features;
        }
        int index = featureStates.indexOf(passed);
        if (index < 0) {
            return features;
        }
        MemorySegment selected = keepCls ? states : states.asSlice((long) config.hiddenSize() * Float.BYTES);
        if (featureStates.size() == 1) {
            return selected;
        }
        long bytes = (long) config.hiddenSize() * Float.BYTES;
        long stride = bytes * featureStates.size();
        MemorySegment all = index == 0 ? Arena.ofAuto().allocate(stride * tokensPerImage(), 64) : features;
        for (int row = 0; row < tokensPerImage(); row++) {
            MemorySegment.copy(selected, row * bytes, all, row * stride + index * bytes, bytes);
        }
        return all;
    }

    @Override
    public Tensor embed(Tensor pixels) {
        return tensor(embed(Tensors.toFloats(pixels)));
    }

    @Override
    public Tensor forward(int block, Tensor states) {
        Tensor result = states.contiguous().clone();
        forward(block, Tensors.memory(result));
        return result;
    }

    private Tensor tensor(MemorySegment states) {
        return Tensors.copyOf(
                states, Tensors.FLOAT, states.byteSize() / stateBytes(), config.positions(), config.hiddenSize());
    }

    @Override
    public Tensor select(Tensor states) {
        return keepCls ? states : states.narrow(1, 1, config.patches());
    }

    @Override
    public List<Integer> featureStates() {
        return featureStates;
    }

    @Override
    public Tensor keep(Tensor input, Tensor states) {
        if (zip == null) {
            return select(states);
        }
        Tensor[] kept = new Tensor[Math.toIntExact(states.size(0))];
        for (int image = 0; image < kept.length; image++) {
            MemorySegment own = zip.keep(
                    Tensors.memory(input.narrow(0, image, 1).contiguous()),
                    Tensors.memory(states.narrow(0, image, 1).contiguous()));
            kept[image] = Tensors.copyOf(own, Tensors.FLOAT, 1, zip.tokens(), config.hiddenSize());
        }
        return Tensors.cat(0, kept);
    }

    @Override
    public int tokensPerImage() {
        return zip != null ? zip.tokens() : config.patches() + (keepCls ? 1 : 0);
    }

    @Override
    public int featureWidth() {
        return config.hiddenSize() * featureStates.size();
    }

    @Override
    public int imageSize() {
        return config.imageSize();
    }

    @Override
    public boolean isTrainable() {
        return false;
    }

    /**
     * Takes the features of images that it knows from a memory, and adds those of others.
     *
     * @param features of this tower: same weights, same selected hidden states
     */
    public void useMemory(FeatureMemory features) {
        memory = features;
    }

    @Nullable
    FeatureMemory memory() {
        return memory;
    }

    /** Bytes of the weights in the kernels' layout. */
    public long bytes() {
        return patchEmbedding.bytes()
                + blocks.stream().mapToLong(CpuClipBlock::bytes).sum();
    }

    /** Frees what the last images left; the next ones take new buffers. */
    public synchronized void freeBuffers() {
        patchEmbedding.freeBuffers();
        pass.freeBuffers();
    }

    @Override
    public void close() {
        pass.freeBuffers();
        patchEmbedding.close();
        blocks.forEach(CpuClipBlock::close);
    }
}
