package io.llava4j.tensor.kernel;

/**
 * Writes code that only reads: as fast as a core can, from several places at a time. A function of the addresses of {@link
 * Arguments}, whose units are counted, and of what is read.
 */
final class ReadCode {
    /** Bytes that one call reads for each unit. */
    static final int UNIT_BYTES = 1024;

    private static final int LINES = UNIT_BYTES / TileCode.LINE / TileCode.Streams.MOST;

    private ReadCode() {}

    /** @param bytes that a call reads, a multiple of {@link #UNIT_BYTES}; it has {@code bytes / UNIT_BYTES} units */
    static byte[] write(boolean wide, int bytes) {
        Assembler asm = new Assembler(wide);
        int stream = bytes / TileCode.Streams.MOST;
        int vector = wide ? 64 : 32;
        asm.load(Assembler.R11, TileCode.ARGUMENTS, Arguments.UNITS);
        int unit = asm.label();
        for (int first = 0; first < bytes; first += stream) {
            for (int at = first; at < first + LINES * TileCode.LINE; at += TileCode.LINE) {
                asm.fetch(2, TileCode.WEIGHTS, TileCode.AHEAD + at);
            }
            for (int at = first; at < first + LINES * TileCode.LINE; at += vector) {
                asm.memory(Assembler.LOAD, 0, 0, TileCode.WEIGHTS, at);
            }
        }
        asm.addConstant(TileCode.WEIGHTS, LINES * TileCode.LINE);
        asm.loop(Assembler.R11, unit);
        return asm.finish();
    }
}
