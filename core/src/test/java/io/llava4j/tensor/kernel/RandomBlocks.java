package io.llava4j.tensor.kernel;

import io.llava4j.tensor.format.BlockFormat;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

/** Random weights of any format, with scales of every kind that a file may hold. */
final class RandomBlocks {
    /** Zero, the smallest and the largest subnormal number, and large ones, as 16-bit floats. */
    private static final short[] EXTREMES = {
        0, (short) 0x8000, 1, (short) 0x83FF, Float.floatToFloat16(60000), Float.floatToFloat16(-300)
    };

    private RandomBlocks() {}

    static MemorySegment of(BlockFormat format, int rows, int in, SplittableRandom random) {
        byte[] bytes = new byte[Math.toIntExact(format.bytes((long) rows * in))];
        random.nextBytes(bytes);
        MemorySegment data = MemorySegment.ofArray(bytes);
        for (long at = 0; at < bytes.length; at += format.blockBytes()) {
            switch (format) {
                case F32 -> data.set(Packer.INT, at, Float.floatToIntBits(magnitude(random)));
                case BF16 -> data.set(Packer.SHORT, at, (short) (Float.floatToIntBits(magnitude(random)) >> 16));
                case F16 -> data.set(Packer.SHORT, at, half(random));
                case Q4_0, Q5_0, Q8_0 -> data.set(Packer.SHORT, at, half(random));
                case Q6_K -> data.set(Packer.SHORT, at + 208, half(random));
                default -> {
                    data.set(Packer.SHORT, at, half(random));
                    data.set(Packer.SHORT, at + 2, half(random));
                }
            }
        }
        return data;
    }

    /** Numbers of either sign whose magnitudes span three decimal orders. */
    static float magnitude(SplittableRandom random) {
        double magnitude = Math.pow(10, random.nextDouble(-2, 1));
        return (float) (random.nextBoolean() ? magnitude : -magnitude);
    }

    private static short half(SplittableRandom random) {
        return random.nextInt(8) == 0
                ? EXTREMES[random.nextInt(EXTREMES.length)]
                : Float.floatToFloat16(magnitude(random) / 100);
    }
}
