package io.llava4j.tensor;

import io.llava4j.tensor.kernel.Kernels;
import org.bytedeco.pytorch.global.torch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The numbers in which the tensor engine stores a network's weights and computes with them. Norms, softmax and losses are
 * computed in 32-bit floats, and products summed in them, in each of the precisions. Options of commands have this type, so its
 * signatures name no class of the engine: {@link Tensors#type(ComputePrecision)} does.
 */
public enum ComputePrecision {
    /** 32-bit floats throughout. */
    FP32,
    /** As {@link #FP32}, with the factors of matrix products rounded to 10 bits of mantissa on GPUs that can; elsewhere the same. */
    TF32,
    /** Weights and activations of 16 bits with 8 bits of exponent and 7 of mantissa. */
    BF16;

    private static final Logger LOG = LoggerFactory.getLogger(ComputePrecision.class);

    private static volatile ComputePrecision inUse = FP32;

    /** What {@link #use} chose last in this process; {@link #FP32} before. */
    public static ComputePrecision inUse() {
        return inUse;
    }

    /** Bytes of a stored number. */
    public int bytes() {
        return this == BF16 ? 2 : Float.BYTES;
    }

    /**
     * Prepares the engine of this process for it, and warns where the device gains nothing. Models that are loaded on GPUs
     * afterwards have its type.
     *
     * @param device {@code cpu} or {@code cuda:N}
     */
    public void use(String device) {
        inUse = this;
        boolean cpu = Engine.device(device).is_cpu();
        torch.globalContext().setAllowTF32CuBLAS(this == TF32);
        torch.globalContext().setAllowTF32CuDNN(this == TF32);
        if (cpu && this == TF32) {
            LOG.warn("engine.precision tf32 is for GPUs; on the CPU it computes as fp32 does");
        }
        if (cpu && this == BF16 && !Kernels.processorHasBf16()) {
            LOG.warn(
                    "this processor has no products of bf16 numbers (AVX512_BF16), so that engine.precision bf16 is several"
                            + " times slower here than fp32");
        }
    }
}
