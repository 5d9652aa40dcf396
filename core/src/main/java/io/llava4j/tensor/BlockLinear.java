package io.llava4j.tensor;

import io.llava4j.tensor.format.BlockFormat;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * A linear map whose frozen weight is stored in blocks of 4 or 8 bits and decoded, exactly as its format says, to the type of
 * the input where it is used. Gradients flow to the input, as through a dense weight (QLoRA, Dettmers et al. 2023, section
 * 3). With them the engine keeps the decoded weight until the backward pass: recompute blocks of the network there, and no
 * more than one block is decoded at a time.
 *
 * @param blocks {@code [out, in / 32, bytes of a block]}, Q4_0 or Q8_0 as in GGUF
 * @param bias {@code [out]}, or null
 */
public record BlockLinear(Tensor blocks, @Nullable Tensor bias) implements LinearOperator {
    private static final int SCALE_BYTES = Short.BYTES;

    /** Whether a tensor is a weight in blocks. */
    static boolean isBlocks(Tensor weight) {
        return weight.dim() == 3 && Tensors.type(weight) == torch.ScalarType.Byte;
    }

    /** Columns of a weight, {@code [out, in]} or in blocks. */
    public static long columns(Tensor weight) {
        return isBlocks(weight) ? weight.size(1) * BlockFormat.Q4_0.blockSize() : weight.size(1);
    }

    @Override
    public Tensor apply(Tensor x) {
        Tensor product = Engine.freeingIntermediates(() -> torch.linear(x, decoded(Tensors.type(x))));
        return bias == null ? product : product.add(bias);
    }

    /** The weight in a type of floats, {@code [out, in]}; rounded once if that is narrower than 32 bits. */
    Tensor decoded(torch.ScalarType type) {
        return Engine.freeingIntermediates(() -> {
            long bytes = blocks.size(2) - SCALE_BYTES;
            Tensor scales = blocks.narrow(2, 0, SCALE_BYTES)
                    .contiguous()
                    .view(torch.ScalarType.Half)
                    .to(Tensors.FLOAT);
            Tensor codes = blocks.narrow(2, SCALE_BYTES, bytes);
            Tensor numbers = bytes == BlockFormat.Q8_0.blockSize()
                    ? codes.contiguous().view(torch.ScalarType.Char).to(Tensors.FLOAT)
                    : nibbles(codes).to(Tensors.FLOAT).sub_(Tensors.scalar(8));
            return numbers.mul_(scales).view(blocks.size(0), columns(blocks)).to(type);
        });
    }

    /** The first half of a block's elements are the lower four bits of its bytes, the second half the upper ones. */
    private static Tensor nibbles(Tensor codes) {
        return Tensors.cat(2, codes.bitwise_and(Tensors.whole(15)), codes.__rshift__(Tensors.whole(4)));
    }
}
