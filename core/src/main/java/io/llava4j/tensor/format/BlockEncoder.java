package io.llava4j.tensor.format;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Encodes the blocks of a type one after another. */
@FunctionalInterface
interface BlockEncoder {
    /**
     * Encodes a block.
     *
     * @param block its number in the matrix
     * @return whether all elements are finite, and the scales in 16 bits
     */
    boolean encode(float[] from, int at, MemorySegment blocks, long block);

    /** @param importance of each column; null if all are alike */
    static BlockEncoder of(BlockFormat format, float @Nullable [] importance) {
        if (importance == null) {
            KQuantEncoder encoder = new KQuantEncoder();
            return switch (format) {
                case Q8_0 -> LegacyBlocks::encodeQ8;
                case Q4_0 -> LegacyBlocks::encodeQ4;
                case Q4_K -> encoder::encodeQ4;
                case Q6_K -> encoder::encodeQ6;
                default -> throw new IllegalArgumentException("not written: " + format);
            };
        }
        return switch (format) {
            case Q8_0 -> LegacyBlocks::encodeQ8;
            case Q4_0 -> new WeightedQ4Encoder(importance);
            case Q4_K, Q6_K -> {
                KQuantEncoder encoder = new KQuantEncoder();
                yield (from, at, blocks, block) -> {
                    encoder.weight(importance, (int) (block * KQuantBlocks.SIZE % importance.length));
                    return format == BlockFormat.Q4_K
                            ? encoder.encodeQ4(from, at, blocks, block)
                            : encoder.encodeQ6(from, at, blocks, block);
                };
            }
            default -> throw new IllegalArgumentException("not written: " + format);
        };
    }
}
