package io.llava4j.image;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * Which coefficients the scans of a progressive JPEG have brought so far (ITU-T T.81 annex G). Where some are missing,
 * decoders smooth blocks, each version of libjpeg in its own way, so such a file has no definite pixels.
 */
final class JpegProgress {
    /** Coefficients that smoothing looks at: the first ten in zigzag order. */
    private static final int SMOOTHED = 10;

    private static final int UNKNOWN = -1;

    /** Bits still missing of each coefficient, by the component's id. */
    private final Map<Integer, int[]> missingBits = new HashMap<>();

    /**
     * Reads a scan's header.
     *
     * @param in positioned after the length of the segment
     * @param length of the segment, its own two bytes included
     */
    void scan(ImageBytes in, int length) {
        int count = in.u8();
        if (length != 6 + 2 * count) {
            throw in.corrupt("a JPEG scan header of %d bytes names %d components".formatted(length, count));
        }
        int[] ids = new int[count];
        for (int i = 0; i < count; i++) {
            ids[i] = in.u8();
            in.skip(1);
        }
        int first = in.u8();
        int last = in.u8();
        int low = in.u8() & 0xF;
        for (int id : ids) {
            int[] bits = missingBits.computeIfAbsent(id, any -> unknown());
            for (int i = first; i <= Math.min(last, SMOOTHED - 1); i++) {
                bits[i] = low;
            }
        }
    }

    private static int[] unknown() {
        int[] bits = new int[SMOOTHED];
        Arrays.fill(bits, UNKNOWN);
        return bits;
    }

    /** Whether the low frequencies of all components are there to the last bit; each character is a component's id. */
    boolean isComplete(String componentIds) {
        return componentIds.chars().allMatch(id -> {
            int[] bits = missingBits.get(id);
            return bits != null && Arrays.stream(bits).allMatch(missing -> missing == 0);
        });
    }
}
