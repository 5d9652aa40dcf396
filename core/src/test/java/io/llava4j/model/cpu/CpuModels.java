package io.llava4j.model.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.model.LlavaModel;
import io.llava4j.model.TinyModels;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.tensor.format.BlockFormat;
import io.llava4j.tensor.format.DType;
import io.llava4j.tensor.format.TensorCast;
import io.llava4j.tensor.kernel.Kernels;
import io.llava4j.tensor.kernel.Workers;
import java.lang.foreign.MemorySegment;
import org.bytedeco.pytorch.Tensor;

/** Tiny models that run on the CPU kernels. */
public final class CpuModels {
    private CpuModels() {}

    /** The weights of {@link TinyModels#of}, read by the kernels. */
    public static LlavaModel of(LlavaConfig config, DType kvType) {
        return Engine.scope("a tiny model", () -> {
            Weights weights = TinyModels.of(config).weights();
            CpuImageEncoder encoder = CpuImageEncoder.load(config, stored(weights));
            return new LlavaModel(config, weights, encoder.tower(), encoder.projector(), of(config, weights, kvType));
        });
    }

    /** Pages of keys and values whose memory is not freed. */
    public static long openPages() {
        return KvPage.open();
    }

    static CpuLlamaModel of(LlavaConfig config, Weights weights, DType kvType) {
        return new CpuLlamaModel(config.text(), stored(weights), kvType, Kernels.instance(), Workers.shared());
    }

    private static CpuWeights stored(Weights weights) {
        return stored(weights, BlockFormat.F32);
    }

    /** Tensors as a file would store them, with matrices in that format; a position table is none. */
    static CpuWeights stored(Weights weights, BlockFormat matrices) {
        return new CpuWeights() {
            @Override
            public Stored get(String name) {
                Tensor tensor = weights.get(name);
                MemorySegment floats = MemorySegment.ofArray(Tensors.toFloats(tensor));
                if (tensor.dim() != 2 || name.endsWith("position_embedding.weight")) {
                    return new Stored(BlockFormat.F32, floats);
                }
                MemorySegment rows = MemorySegment.ofArray(new byte[Math.toIntExact(matrices.bytes(tensor.numel()))]);
                assertThat(TensorCast.cast(BlockFormat.F32, floats, tensor.numel(), matrices, rows))
                        .isTrue();
                return new Stored(matrices, rows);
            }

            @Override
            public void release(Stored stored) {}
        };
    }
}
