package io.llava4j.text;

/** Kind of a vocabulary piece, with its number in {@code tokenizer.model}. */
public enum PieceType {
    NORMAL(1),
    UNKNOWN(2),
    CONTROL(3),
    BYTE(6);

    final int code;

    PieceType(int code) {
        this.code = code;
    }

    /** Number in {@code tokenizer.model}; llama.cpp's token types have the same. */
    public int code() {
        return code;
    }
}
