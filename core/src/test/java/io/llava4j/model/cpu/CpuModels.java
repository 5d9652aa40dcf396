package io.llava4j.model.cpu;

import io.llava4j.model.LlavaModel;
import io.llava4j.model.TinyModels;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.tensor.format.BlockFormat;
import io.llava4j.tensor.format.DType;
import io.llava4j.tensor.kernel.Kernels;
import io.llava4j.tensor.kernel.Workers;
import java.lang.foreign.MemorySegment;

/** Tiny models whose language model runs on the CPU kernels. */
public final class CpuModels {
    private CpuModels() {}

    /** The weights of {@link TinyModels#of}, read by the kernels. */
    public static LlavaModel of(LlavaConfig config, DType kvType) {
        return Engine.scope("a tiny model", () -> {
            Weights weights = TinyModels.of(config).weights();
            return new LlavaModel(config, weights, of(config, weights, kvType));
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
        return new CpuWeights() {
            @Override
            public Stored get(String name) {
                return new Stored(BlockFormat.F32, MemorySegment.ofArray(Tensors.toFloats(weights.get(name))));
            }

            @Override
            public void release(Stored stored) {}
        };
    }
}
