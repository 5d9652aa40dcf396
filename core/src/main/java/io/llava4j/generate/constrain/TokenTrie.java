package io.llava4j.generate.constrain;

import io.llava4j.text.SentencePieceTokenizer;
import java.util.Set;

/** The bytes of all tokens of a vocabulary. Immutable and thread-safe; one serves all constraints of a model. */
public final class TokenTrie {
    private TokenTrie() {}

    /**
     * The tokens of a model.
     *
     * @param stopIds ids that end an answer
     */
    public static TokenTrie of(SentencePieceTokenizer tokenizer, Set<Integer> stopIds) {
        throw new UnsupportedOperationException();
    }
}
