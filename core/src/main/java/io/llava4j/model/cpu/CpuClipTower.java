package io.llava4j.model.cpu;

import io.llava4j.model.ClipVisionTower;
import io.llava4j.model.VisionTower;
import io.llava4j.model.config.ClipParameters;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.tensor.kernel.Kernels;
import io.llava4j.tensor.kernel.Workers;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * CLIP's vision transformer with its blocks on the CPU kernels, in the type that their weights have in the file
 * (docs/reference/model.md#vision-tower). The features of an image are the same to the last bit whatever other images are
 * read with it.
 */
public final class CpuClipTower implements VisionTower {
    private final ClipVisionTower network;
    private final List<CpuClipBlock> blocks = new ArrayList<>();
    private final CpuClipPass pass;

    /**
     * Reads the tower's tensors.
     *
     * @param weights tensors of {@link ClipParameters}; the matrices of the blocks are packed
     * @throws io.llava4j.ConfigException if there is no such hidden state as the configuration selects
     */
    public CpuClipTower(LlavaConfig config, Weights weights, Kernels kernels, Workers workers) {
        this.network = new ClipVisionTower(config.vision(), weights, config.selectLayer(), config.keepCls());
        ClipParameters.of(config.vision()).blocks().forEach(block -> blocks.add(CpuClipBlock.load(block, weights)));
        this.pass = new CpuClipPass(config.vision(), kernels, workers);
    }

    @Override
    public Tensor embed(Tensor pixels) {
        return network.embed(pixels);
    }

    @Override
    public int blocks() {
        return network.blocks();
    }

    @Override
    public Tensor forward(int block, Tensor states) {
        return Engine.freeingIntermediates(() -> {
            int images = Math.toIntExact(states.size(0));
            int positions = Math.toIntExact(states.size(1));
            Tensor result = states.contiguous().clone();
            pass.forward(blocks.get(block), Tensors.memory(result), images, positions);
            return result;
        });
    }

    @Override
    public Tensor select(Tensor states) {
        return network.select(states);
    }

    @Override
    public int tokensPerImage() {
        return network.tokensPerImage();
    }

    @Override
    public int hiddenSize() {
        return network.hiddenSize();
    }

    @Override
    public int imageSize() {
        return network.imageSize();
    }

    @Override
    public boolean isTrainable() {
        return false;
    }
}
