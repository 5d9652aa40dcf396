package io.llava4j.text;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.ConcurrentHashMap;

/**
 * SentencePiece's BPE over text whose spaces are already U+2581: starting from single characters, the adjacent pair
 * whose concatenation is the piece of highest score is merged, the leftmost first among equals, until no pair is a
 * piece. Safe for use by several threads.
 */
final class BpeMerger {
    static final char SPACE = '\u2581';

    private static final int MAX_CACHED_UNITS = 1 << 16;
    private static final int MAX_CACHED_LENGTH = 32;

    private final SentencePieceModel model;
    private final Map<String, Integer> normalPieces = new HashMap<>();
    private final int[] bytePieces = new int[256];
    private final int longestPiece;
    private final boolean piecesEndAtSpaces;
    private final Map<String, Encoding> cache = new ConcurrentHashMap<>();

    BpeMerger(SentencePieceModel model) {
        this.model = model;
        int longest = 0;
        boolean endAtSpaces = true;
        for (int id = 0; id < model.pieces().size(); id++) {
            String piece = model.pieces().get(id);
            switch (model.types().get(id)) {
                case NORMAL -> {
                    normalPieces.put(piece, id);
                    longest = Math.max(longest, piece.length());
                    endAtSpaces &= unitEnd(piece, 0) == piece.length();
                }
                case BYTE -> bytePieces[model.byteValue(id)] = id;
                case CONTROL, UNKNOWN -> {}
            }
        }
        longestPiece = longest;
        piecesEndAtSpaces = endAtSpaces;
    }

    /** Encodes {@code text} and appends its tokens, shifted by {@code offset} and at the earliest at {@code floor}. */
    void encode(String text, int offset, int floor, Encoding.Builder out) {
        // No piece has a space after another character, so no merge crosses a word boundary and words are independent.
        for (int begin = 0; begin < text.length(); ) {
            int end = piecesEndAtSpaces ? unitEnd(text, begin) : text.length();
            Encoding unit = encodeUnit(text.substring(begin, end));
            out.add(unit, begin + offset, floor);
            begin = end;
        }
    }

    /** End of the unit at {@code begin}: spaces, then everything up to the next space. */
    private static int unitEnd(String text, int begin) {
        int end = begin;
        while (end < text.length() && text.charAt(end) == SPACE) {
            end++;
        }
        while (end < text.length() && text.charAt(end) != SPACE) {
            end++;
        }
        return end;
    }

    private Encoding encodeUnit(String unit) {
        Encoding known = cache.get(unit);
        if (known != null) {
            return known;
        }
        Encoding encoding = new Unit(unit).encode();
        if (unit.length() <= MAX_CACHED_LENGTH && cache.size() < MAX_CACHED_UNITS) {
            cache.put(unit, encoding);
        }
        return encoding;
    }

    private record Merge(int left, int right, int length, float score) implements Comparable<Merge> {
        @Override
        public int compareTo(Merge other) {
            int byScore = Float.compare(other.score, score);
            return byScore != 0 ? byScore : Integer.compare(left, other.left);
        }
    }

    /** The symbols of one unit as a linked list; a symbol merged into its left neighbour has length 0. */
    private final class Unit {
        private final String text;
        private final int[] begin;
        private final int[] length;
        private final int[] previous;
        private final int[] next;
        private final PriorityQueue<Merge> queue = new PriorityQueue<>();

        Unit(String text) {
            this.text = text;
            int symbols = text.codePointCount(0, text.length());
            begin = new int[symbols];
            length = new int[symbols];
            previous = new int[symbols];
            next = new int[symbols];
            for (int i = 0, at = 0; i < symbols; i++) {
                begin[i] = at;
                length[i] = Character.charCount(text.codePointAt(at));
                previous[i] = i - 1;
                next[i] = i + 1 < symbols ? i + 1 : -1;
                at += length[i];
            }
        }

        Encoding encode() {
            for (int i = 0; i + 1 < begin.length; i++) {
                offer(i, i + 1);
            }
            for (Merge merge = queue.poll(); merge != null; merge = queue.poll()) {
                apply(merge);
            }
            Encoding.Builder out = new Encoding.Builder();
            boolean afterUnknown = false;
            for (int i = 0; i >= 0 && i < begin.length; i = next[i]) {
                afterUnknown = emit(i, afterUnknown, out);
            }
            return out.build();
        }

        private void offer(int left, int right) {
            if (left < 0 || right < 0) {
                return;
            }
            int merged = length[left] + length[right];
            if (merged > longestPiece) {
                return;
            }
            Integer id = normalPieces.get(text.substring(begin[left], begin[left] + merged));
            if (id != null) {
                queue.add(new Merge(left, right, merged, model.scores()[id]));
            }
        }

        private void apply(Merge merge) {
            int left = merge.left;
            int right = merge.right;
            // A stale offer: one side has been merged since.
            if (length[left] == 0 || length[right] == 0 || length[left] + length[right] != merge.length) {
                return;
            }
            length[left] = merge.length;
            length[right] = 0;
            next[left] = next[right];
            if (next[right] >= 0) {
                previous[next[right]] = left;
            }
            offer(previous[left], left);
            offer(left, next[left]);
        }

        private boolean emit(int symbol, boolean afterUnknown, Encoding.Builder out) {
            String piece = text.substring(begin[symbol], begin[symbol] + length[symbol]);
            Integer id = normalPieces.get(piece);
            if (id != null) {
                out.add(id, begin[symbol]);
                return false;
            }
            if (model.byteFallback()) {
                for (byte b : piece.getBytes(StandardCharsets.UTF_8)) {
                    out.add(bytePieces[b & 0xff], begin[symbol]);
                }
                return false;
            }
            // SentencePiece folds neighbouring unknown characters into one.
            if (!afterUnknown) {
                out.add(model.unkId(), begin[symbol]);
            }
            return true;
        }
    }
}
