package io.llava4j.text;

/** Kind of a vocabulary piece, with its number in {@code tokenizer.model}. */
enum PieceType {
    NORMAL(1),
    UNKNOWN(2),
    CONTROL(3),
    BYTE(6);

    final int code;

    PieceType(int code) {
        this.code = code;
    }
}
