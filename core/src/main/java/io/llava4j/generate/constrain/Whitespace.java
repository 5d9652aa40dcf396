package io.llava4j.generate.constrain;

/**
 * Whitespace between the parts of a document. It is bounded, so that a model cannot go on with it for ever: two line feeds at
 * most, and {@value #BLANKS} other characters more than {@value #INDENT} for each level.
 */
final class Whitespace {
    /** No whitespace so far. */
    static final int NONE = 0;

    private static final int LINES = 2;
    private static final int BLANKS = 16;
    private static final int INDENT = 4;
    private static final int LINE = 1 << 16;

    private Whitespace() {}

    /**
     * Adds a byte to a run of whitespace.
     *
     * @param run line feeds and other characters so far
     * @param depth number of open arrays and objects
     * @return the longer run, or -1 if the byte does not belong to it
     */
    static int add(int run, int b, int depth) {
        return switch (b) {
            case '\n' -> run / LINE < LINES ? run + LINE : -1;
            case ' ', '\t', '\r' -> run % LINE < BLANKS + INDENT * depth ? run + 1 : -1;
            default -> -1;
        };
    }
}
