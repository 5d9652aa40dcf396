package io.llava4j.checkpoint.layout;

import io.llava4j.model.config.TextConfig;
import java.lang.foreign.MemorySegment;
import java.util.stream.LongStream;

/**
 * Permutes the rows of query and key weights between two conventions of rotary position embedding. transformers rotates
 * row {@code j} of a head together with row {@code j + half} (docs/reference/model.md#rotary-position-embedding); llama.cpp
 * rotates each even row with the next one, so its LLaMA files interleave the rows of every head. Whole rows move, so the
 * elements may be of any type, quantised blocks included.
 */
public final class RopePermutation {
    private RopePermutation() {}

    /** Number of heads in a tensor that is permuted; 0 for all others. */
    public static int heads(String canonical, TextConfig text) {
        if (!canonical.startsWith(CanonicalNames.LAYERS)) {
            return 0;
        }
        if (canonical.endsWith(".self_attn.q_proj.weight")) {
            return text.heads();
        }
        return canonical.endsWith(".self_attn.k_proj.weight") ? text.kvHeads() : 0;
    }

    /** From transformers' order to llama.cpp's: copies {@code rows} rows of equal size to {@code to}. */
    public static void interleave(MemorySegment from, int heads, long rows, MemorySegment to) {
        move(from, heads, rows, to, true);
    }

    /** From llama.cpp's order to transformers': the inverse of {@link #interleave}. */
    public static void separate(MemorySegment from, int heads, long rows, MemorySegment to) {
        move(from, heads, rows, to, false);
    }

    private static void move(MemorySegment from, int heads, long rows, MemorySegment to, boolean interleave) {
        long rowBytes = from.byteSize() / rows;
        long size = rows / heads;
        long half = size / 2;
        LongStream.range(0, heads).parallel().forEach(head -> {
            for (long j = 0; j < half; j++) {
                for (long part = 0; part < 2; part++) {
                    long separated = (head * size + part * half + j) * rowBytes;
                    long interleaved = (head * size + 2 * j + part) * rowBytes;
                    MemorySegment.copy(
                            from,
                            interleave ? separated : interleaved,
                            to,
                            interleave ? interleaved : separated,
                            rowBytes);
                }
            }
        });
    }
}
