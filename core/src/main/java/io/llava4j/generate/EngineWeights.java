package io.llava4j.generate;

import io.llava4j.CheckpointException;
import io.llava4j.ConfigException;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.tensor.BlockLinear;
import io.llava4j.tensor.ComputePrecision;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.tensor.format.BlockFormat;
import io.llava4j.tensor.format.DType;
import io.llava4j.tensor.format.TensorCast;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Function;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Loads stored tensors as tensors of the engine: as floats, or as blocks of 4 or 8 bits, which {@link BlockLinear} computes from. */
public final class EngineWeights {
    private EngineWeights() {}

    /**
     * Tensors of the tensor engine on the CPU. They lie over the mapped files where possible, with matrices of 16 bits upcast
     * where they are used. Everything else is copied as 32-bit floats.
     *
     * @param tensors must stay open as long as the result is used; the result must not be written to
     */
    public static Weights mapped(Map<String, TensorEntry> tensors) {
        Weights weights = new Weights();
        Device cpu = Engine.device("cpu");
        tensors.forEach((name, entry) -> Engine.scope("loading " + name, () -> {
            weights.put(
                    name,
                    entry.dtype() == DType.F32 || isUpcastInUse(entry)
                            ? asStored(entry)
                            : copy(entry, cpu, ComputePrecision.FP32));
            return null;
        }));
        return weights;
    }

    /** The elements of a tensor of 32-bit or 16-bit floats, over the mapped file where possible. */
    private static Tensor asStored(TensorEntry entry) {
        torch.ScalarType type = type(entry.dtype());
        return isAligned(entry)
                ? Tensors.over(entry.data(), type, entry.shape())
                : Tensors.copyOf(entry.data(), type, entry.shape());
    }

    /** Whether a tensor can lie over the file; never computes its elements. */
    private static boolean isAligned(TensorEntry entry) {
        return entry.content() instanceof TensorEntry.Stored stored
                && stored.data().isNative()
                && stored.data().address() % entry.dtype().bytes() == 0;
    }

    /** Linear layers and the embedding table; norms, biases, convolutions and positions are small and loaded as 32-bit floats. */
    private static boolean isUpcastInUse(TensorEntry entry) {
        return (entry.dtype() == DType.F16 || entry.dtype() == DType.BF16)
                && entry.shape().length == 2
                && !entry.name().endsWith("position_embedding.weight");
    }

    private static torch.ScalarType type(DType type) {
        return switch (type) {
            case F32 -> torch.ScalarType.Float;
            case F16 -> torch.ScalarType.Half;
            case BF16 -> torch.ScalarType.BFloat16;
            default -> throw new IllegalArgumentException(type.name());
        };
    }

    /** Copies stored tensors to a device as 32-bit floats, under their names. */
    public static Weights weights(Map<String, TensorEntry> tensors, String device) {
        Weights weights = new Weights();
        addTo(weights, tensors, device, name -> ComputePrecision.FP32);
        return weights;
    }

    /**
     * Copies stored tensors to a device and adds them to {@code weights}.
     *
     * @param precision whose type a tensor gets, by its name
     */
    public static void addTo(
            Weights weights,
            Map<String, TensorEntry> tensors,
            String device,
            Function<String, ComputePrecision> precision) {
        Device place = Engine.device(device);
        tensors.forEach((name, entry) -> Engine.scope("loading " + name, () -> {
            weights.put(name, copy(entry, place, precision.apply(name)));
            return null;
        }));
    }

    /**
     * A copy of a stored tensor, in the current scope.
     *
     * @param precision whose type it gets
     */
    public static Tensor copy(TensorEntry entry, Device place, ComputePrecision precision) {
        Tensor stored = switch (entry.dtype()) {
            case F32, F16, BF16 -> asStored(entry);
            default -> Tensors.of(entry.toFloats(), entry.shape());
        };
        return stored.to(place, Tensors.type(precision), false, true, new MemoryFormatOptional());
    }

    /**
     * Shape of a weight in blocks, {@code [out, blocks of a row, bytes of a block]}.
     *
     * @param stored {@code [out, in]}
     * @param format Q4_0 or Q8_0
     * @throws ConfigException if the format's blocks do not divide the rows
     */
    public static long[] blockShape(TensorEntry stored, BlockFormat format) {
        long out = stored.shape()[0];
        long in = stored.shape()[1];
        if (in % format.blockSize() != 0) {
            throw new ConfigException(
                    "%s has the shape %s, whose rows blocks of %d do not divide; train this model with lora.bits 16"
                            .formatted(stored.name(), Arrays.toString(stored.shape()), format.blockSize()));
        }
        return new long[] {out, in / format.blockSize(), format.blockBytes()};
    }

    /**
     * A weight, in the current scope. One that its file has in this format is taken as it is; any other is quantised.
     *
     * @param stored {@code [out, in]}
     * @param format Q4_0 or Q8_0
     * @param place it goes to
     * @throws ConfigException if the format's blocks do not divide the rows
     * @throws CheckpointException if it holds NaN or infinity
     */
    public static Tensor copyOfBlocks(TensorEntry stored, BlockFormat format, Device place) {
        return Tensors.copyOf(blocks(stored, format), torch.ScalarType.Byte, blockShape(stored, format))
                .to(place, torch.ScalarType.Byte);
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
