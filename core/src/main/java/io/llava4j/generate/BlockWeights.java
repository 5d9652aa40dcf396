package io.llava4j.generate;

import io.llava4j.CheckpointException;
import io.llava4j.ConfigException;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.tensor.BlockLinear;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.tensor.format.BlockFormat;
import io.llava4j.tensor.format.TensorCast;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.bytedeco.pytorch.global.torch;

/** Loads weights of linear layers as blocks of 4 or 8 bits, which {@link BlockLinear} computes from. */
public final class BlockWeights {
    private BlockWeights() {}

    /**
     * Adds a weight. One that its file has in this format is taken as it is; any other is quantised, a matrix at a time.
     *
     * @param stored {@code [out, in]}
     * @param format Q4_0 or Q8_0
     * @param device it goes to
     * @throws ConfigException if the format's blocks do not divide the rows
     * @throws CheckpointException if it holds NaN or infinity
     */
    public static void add(Weights weights, TensorEntry stored, BlockFormat format, String device) {
        long out = stored.shape()[0];
        long in = stored.shape()[1];
        if (in % format.blockSize() != 0) {
            throw new ConfigException(
                    "%s has the shape %s, whose rows blocks of %d do not divide; train this model with lora.bits 16"
                            .formatted(stored.name(), Arrays.toString(stored.shape()), format.blockSize()));
        }
        Engine.scope("loading " + stored.name(), () -> {
            weights.put(
                    stored.name(),
                    Tensors.copyOf(
                                    blocks(stored, format),
                                    torch.ScalarType.Byte,
                                    out,
                                    in / format.blockSize(),
                                    format.blockBytes())
                            .to(Engine.device(device), torch.ScalarType.Byte));
            return null;
        });
    }

    private static MemorySegment blocks(TensorEntry stored, BlockFormat format) {
        if (stored.storedFormat() == format) {
            return stored.storedData();
        }
        MemorySegment blocks = MemorySegment.ofArray(new byte[Math.toIntExact(format.bytes(stored.elements()))]);
        if (!TensorCast.cast(stored.storedFormat(), stored.storedData(), stored.elements(), format, blocks)) {
            throw new CheckpointException(
                    "tensor '%s' holds NaN, infinity or numbers that %s cannot hold; train with lora.bits 16"
                            .formatted(stored.name(), format));
        }
        return blocks;
    }
}
