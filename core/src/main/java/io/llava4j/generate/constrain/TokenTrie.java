package io.llava4j.generate.constrain;

import io.llava4j.ConfigException;
import io.llava4j.text.SentencePieceTokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of all tokens of a vocabulary as a prefix tree. Immutable and thread-safe; one serves all constraints of a
 * model. Tokens without text (BOS, padding, an image) are not in it, so a constrained answer has none of them.
 *
 * <p>Nodes are numbered in preorder, so all that lies below a node is a range of nodes and a range of tokens. Node 0 is
 * the root.
 */
public final class TokenTrie {
    private record Token(int id, byte[] bytes) {}

    private final Set<Integer> stopIds;
    private final byte[] @Nullable [] bytes;

    /** Token ids in the order of their nodes. */
    private final int[] ids;

    /** Of each token in that order: number of bytes up to the last that a JSON string cannot hold as it is; 0 if none. */
    private final int[] lastSpecial;

    /** Of each token in that order: number of characters that begin in it. */
    private final int[] characters;

    private final byte[] labels;
    private final int[] depths;
    private final int[] ends;
    private final int[] firstTokens;

    /** Of each node: largest {@code lastSpecial} of the tokens at it and below. */
    private final int[] deepestSpecial;

    /** Of each node: number of characters that begin on the way to it. */
    private final int[] nodeCharacters;

    private TokenTrie(List<Token> sorted, byte[] @Nullable [] bytes, Set<Integer> stopIds) {
        this.stopIds = Set.copyOf(stopIds);
        this.bytes = bytes;
        this.ids = sorted.stream().mapToInt(Token::id).toArray();
        this.lastSpecial =
                sorted.stream().mapToInt(token -> lastSpecial(token.bytes)).toArray();
        this.characters = sorted.stream()
                .mapToInt(token -> characters(token.bytes, token.bytes.length))
                .toArray();
        int most = 1 + sorted.stream().mapToInt(token -> token.bytes.length).sum();
        byte[] label = new byte[most];
        int[] depth = new int[most];
        int[] end = new int[most];
        int[] first = new int[most + 1];
        int[] begun = new int[most];
        int nodes = 1;
        int[] path = new int
                [1 + sorted.stream().mapToInt(token -> token.bytes.length).max().orElse(0)];
        byte[] before = {};
        for (int t = 0; t < sorted.size(); t++) {
            byte[] token = sorted.get(t).bytes;
            int same = Math.max(0, Arrays.mismatch(before, token));
            same = Arrays.equals(before, token) ? token.length : same;
            for (int d = same; d < before.length; d++) {
                end[path[d + 1]] = nodes;
            }
            for (int d = same; d < token.length; d++) {
                label[nodes] = token[d];
                depth[nodes] = d + 1;
                first[nodes] = t;
                begun[nodes] = characters(token, d + 1);
                path[d + 1] = nodes++;
            }
            before = token;
        }
        for (int d = 0; d <= before.length; d++) {
            end[path[d]] = nodes;
        }
        first[nodes] = sorted.size();
        this.labels = Arrays.copyOf(label, nodes);
        this.depths = Arrays.copyOf(depth, nodes);
        this.ends = Arrays.copyOf(end, nodes);
        this.firstTokens = Arrays.copyOf(first, nodes + 1);
        this.nodeCharacters = Arrays.copyOf(begun, nodes);
        this.deepestSpecial = new int[nodes];
        for (int node = 0; node < nodes; node++) {
            for (int t = firstTokens[node]; t < firstTokens[ends[node]]; t++) {
                deepestSpecial[node] = Math.max(deepestSpecial[node], lastSpecial[t]);
            }
        }
    }

    /**
     * The tokens of a model.
     *
     * @param stopIds ids that end an answer
     * @throws ConfigException if the vocabulary cannot write every text
     */
    public static TokenTrie of(SentencePieceTokenizer tokenizer, Set<Integer> stopIds) {
        byte[] @Nullable [] bytes = new byte[tokenizer.idCount()][];
        List<Token> tokens = new ArrayList<>();
        boolean[] single = new boolean[256];
        for (int id = 0; id < bytes.length; id++) {
            byte[] text = tokenizer.bytes(id);
            if (text != null && text.length > 0 && !stopIds.contains(id)) {
                bytes[id] = text;
                tokens.add(new Token(id, text));
                single[text[0] & 0xFF] |= text.length == 1;
            }
        }
        for (int b = 0; b < 256; b++) {
            if (!single[b]) {
                throw new ConfigException(
                        "the tokenizer has no token for the byte 0x%02X, so a constrained answer could get stuck; use a vocabulary with byte fallback"
                                .formatted(b));
            }
        }
        tokens.sort(Comparator.comparing(Token::bytes, Arrays::compareUnsigned));
        return new TokenTrie(tokens, bytes, stopIds);
    }

    /** Bytes of a token's text; null if it has none or ends an answer. */
    byte @Nullable [] bytes(int id) {
        return id >= 0 && id < bytes.length ? bytes[id] : null;
    }

    Set<Integer> stopIds() {
        return stopIds;
    }

    /** Number of ids that the tokenizer knows. */
    int idCount() {
        return bytes.length;
    }

    /** The first child of a node; {@link #end} of the node if it has none. */
    int firstChild(int node) {
        return node + 1;
    }

    /** The node after all nodes below this one, which is its next sibling if it has one. */
    int end(int node) {
        return ends[node];
    }

    /** The byte that leads to a node. */
    int label(int node) {
        return labels[node] & 0xFF;
    }

    /** Whether a token at the node or below has, after the node, a byte that a JSON string cannot hold as it is. */
    boolean hasSpecialBelow(int node, int depth) {
        return deepestSpecial[node] > depth;
    }

    /** Number of bytes that lead to a node. */
    int depth(int node) {
        return depths[node];
    }

    /** Allows the tokens that end at a node. */
    void allow(int node, boolean[] allowed) {
        for (int t = firstTokens[node]; t < firstTokens[node + 1]; t++) {
            allowed[ids[t]] = true;
        }
    }

    /** Allows the tokens below a node that go on from it with at most {@code most} characters of a JSON string. */
    void allowText(int node, int most, boolean[] allowed) {
        int limit = (int) Math.min(Integer.MAX_VALUE, (long) most + nodeCharacters[node]);
        for (int t = firstTokens[node]; t < firstTokens[ends[node]]; t++) {
            if (lastSpecial[t] <= depths[node] && characters[t] <= limit) {
                allowed[ids[t]] = true;
            }
        }
    }

    /** A single byte that no character begins with is special as well: whether it fits depends on those before it. */
    private static int lastSpecial(byte[] token) {
        int last = 0;
        for (int i = 0; i < token.length; i++) {
            int b = token[i] & 0xFF;
            boolean begins = b >= 0xC2 && b < 0xF5;
            if (b < ' ' || b == '"' || b == '\\' || token.length == 1 && b >= 0x80 && !begins) {
                last = i + 1;
            }
        }
        return last;
    }

    private static int characters(byte[] token, int length) {
        int count = 0;
        for (int i = 0; i < length; i++) {
            count += (token[i] & 0xC0) == 0x80 ? 0 : 1;
        }
        return count;
    }
}
