package io.llava4j.text;

/**
 * Turns token ids into text as they arrive. Returned text never changes: the bytes of an incomplete character wait for
 * the next token. Use one decoder per answer, in one thread.
 */
public final class StreamDecoder {
    private final SentencePieceTokenizer tokenizer;
    private final boolean skipSpecial;
    private final Utf8Assembler bytes = new Utf8Assembler();
    private boolean atStart = true;

    StreamDecoder(SentencePieceTokenizer tokenizer, boolean skipSpecial) {
        this.tokenizer = tokenizer;
        this.skipSpecial = skipSpecial;
    }

    /**
     * The text that {@code id} completes; empty if there is none yet.
     *
     * @throws IllegalArgumentException if {@code id} is negative (an image placeholder, for example)
     */
    public String accept(int id) {
        if (id < 0) {
            throw new IllegalArgumentException("token id %d has no text".formatted(id));
        }
        if (id >= tokenizer.vocabSize()) {
            AddedToken added = tokenizer.added(id);
            if (added == null
                    || skipSpecial && added.special()
                    || added.content().equals(AddedTokens.IMAGE)) {
                return "";
            }
            atStart = false;
            return bytes.finish() + added.content();
        }
        if (skipSpecial && tokenizer.isSpecial(id)) {
            return "";
        }
        boolean first = atStart;
        atStart = false;
        SentencePieceModel model = tokenizer.model();
        if (model.types().get(id) == PieceType.BYTE) {
            return bytes.accept((byte) model.byteValue(id));
        }
        String piece = model.pieces().get(id);
        if (!tokenizer.isSpecial(id)) {
            int begin = first && piece.charAt(0) == BpeMerger.SPACE ? 1 : 0;
            piece = piece.substring(begin).replace(BpeMerger.SPACE, ' ');
        }
        return bytes.finish() + piece;
    }

    /** The remaining text at the end of the answer: a U+FFFD for every byte of an incomplete character. */
    public String finish() {
        return bytes.finish();
    }
}
