package io.llava4j.tensor;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * Two-dimensional convolution. On the CPU, channels are filled up with zeros to multiples of 16: the engine
 * (libtorch 2.10 with oneDNN 3.7) does so itself, but may leave what lay in that memory before, and a NaN there reaches the
 * result although its weight is zero.
 */
public final class Convolution {
    /** Channels that the engine's kernels compute together. */
    private static final int BLOCK = 16;

    /** Up to so many input channels, the engine has kernels that do not fill up. */
    private static final int COLOURS = 3;

    private Convolution() {}

    /**
     * Convolves images with a kernel; gradients flow through.
     *
     * @param x {@code [images, in, height, width]}
     * @param kernel {@code [out, in, edge, edge]}
     * @param bias {@code [out]}; null for none
     * @param stride between positions of the kernel, in pixels
     * @param padding pixels of zeros around the image
     * @return {@code [images, out, (height + 2 padding - edge) / stride + 1, …]}
     */
    public static Tensor apply(Tensor x, Tensor kernel, @Nullable Tensor bias, long stride, long padding) {
        long out = kernel.size(0);
        long channels = x.is_cuda() ? out : blocks(out);
        long in = x.is_cuda() || x.size(1) <= COLOURS ? x.size(1) : blocks(x.size(1));
        return Engine.freeingIntermediates(() -> torch.conv2d(
                        filled(x, 1, in),
                        filled(filled(kernel, 1, in), 0, channels),
                        Tensors.optional(bias == null ? null : filled(bias, 0, channels)),
                        new long[] {stride, stride},
                        new long[] {padding, padding},
                        new long[] {1, 1},
                        1)
                .narrow(1, 0, out));
    }

    private static long blocks(long channels) {
        return Math.ceilDiv(channels, BLOCK) * BLOCK;
    }

    /** With zeros after the last element of a dimension, up to a size. */
    private static Tensor filled(Tensor x, int dimension, long size) {
        long[] missing = Tensors.shape(x);
        missing[dimension] = size - missing[dimension];
        return missing[dimension] == 0
                ? x
                : torch.cat(new TensorVector(x, torch.zeros(missing, x.options())), dimension);
    }
}
