package io.llava4j.tensor.kernel;

/**
 * Writes the code that brings packed weights into {@link PackedLayout#inSignedBytes}: a function of the addresses of
 * {@link Arguments}, source and target.
 */
final class SignedByteCode {
    private static final int ARGUMENTS = Assembler.RDI;
    private static final int SOURCE = Assembler.RSI;
    private static final int TARGET = Assembler.RDX;
    private static final int UNITS = Assembler.R11;
    private static final int MASK = 14;
    private static final int ZERO = 15;
    private static final int VECTOR = Packer.VECTOR;

    private final Assembler asm = new Assembler(true);
    private final PackedLayout from;
    private final PackedLayout to;

    private SignedByteCode(PackedLayout layout) {
        this.from = layout;
        this.to = layout.inSignedBytes();
    }

    static byte[] write(PackedLayout layout) {
        return new SignedByteCode(layout).assemble();
    }

    private byte[] assemble() {
        asm.memory(Assembler.BROADCAST, MASK, 0, ARGUMENTS, Arguments.NIBBLES);
        asm.memory(Assembler.BROADCAST, ZERO, 0, ARGUMENTS, from.zero() == 8 ? Arguments.EIGHTS : Arguments.SIGN_BITS);
        asm.load(UNITS, ARGUMENTS, Arguments.UNITS);
        int unit = asm.label();
        copy(0, 0, from.header());
        for (int block = 0; block < from.unitColumns() / PackedLayout.BLOCK; block++) {
            if (block % 2 == 0) {
                copy(from.smallScalesAt(block), to.smallScalesAt(block), from.pairHeader());
            }
            for (int at = 0; at < from.blockBytes(); at += VECTOR) {
                vector(from.elementsAt(block) + at, to.elementsAt(block) + at * (from.hasNibbles() ? 2 : 1));
            }
        }
        asm.addConstant(SOURCE, from.unitBytes());
        asm.addConstant(TARGET, to.unitBytes());
        asm.loop(UNITS, unit);
        return asm.finish();
    }

    private void copy(int source, int target, int bytes) {
        for (int at = 0; at < bytes; at += VECTOR) {
            asm.memory(Assembler.LOAD, 0, 0, SOURCE, source + at);
            asm.memory(Assembler.STORE, 0, 0, TARGET, target + at);
        }
    }

    private void vector(int source, int target) {
        asm.memory(Assembler.LOAD, 0, 0, SOURCE, source);
        if (!from.hasNibbles()) {
            if (from.zero() != 0) {
                asm.registers(Assembler.XOR, 0, 0, ZERO);
            }
            asm.memory(Assembler.STORE, 0, 0, TARGET, target);
            return;
        }
        asm.shift(Assembler.RIGHT_SHORTS, 1, 0, 4);
        for (int half = 0; half < 2; half++) {
            asm.registers(Assembler.AND, half, half, MASK);
            if (from.zero() != 0) {
                asm.registers(Assembler.SUBTRACT_BYTES, half, half, ZERO);
            }
            asm.memory(Assembler.STORE, half, 0, TARGET, target + half * VECTOR);
        }
    }
}
