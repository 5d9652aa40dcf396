package io.llava4j.fuzz;

import io.llava4j.LlavaException;
import io.llava4j.text.SentencePieceTokenizer;

/** Whatever bytes a tokenizer.model has: a clear refusal, or a tokenizer that encodes and decodes. */
public final class TokenizerModelFuzz {
    private static final FuzzFile FILE = new FuzzFile("tokenizer.model");
    private static final String TEXT = "<s>USER: was ist \u00e4 \uD83D\uDE00?\n</s>";

    private TokenizerModelFuzz() {}

    public static void fuzzerTestOneInput(byte[] bytes) {
        try {
            SentencePieceTokenizer tokenizer = SentencePieceTokenizer.load(FILE.of(bytes));
            int[] ids = tokenizer.encode(TEXT);
            for (int id : ids) {
                if (id < 0 || id >= tokenizer.vocabSize()) {
                    throw new AssertionError("id %d of a vocabulary of %d".formatted(id, tokenizer.vocabSize()));
                }
            }
            tokenizer.decode(ids, true);
        } catch (LlavaException refused) {
            FuzzFile.requireOneSentence(refused);
        }
    }
}
