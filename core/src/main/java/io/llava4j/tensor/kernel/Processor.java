package io.llava4j.tensor.kernel;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** What the processor says that it can do, and what the operating system lets programs use of it. */
final class Processor {
    private static final int FMA = 12;
    private static final int SAVES_REGISTERS = 27;
    private static final int AVX = 28;
    private static final int F16C = 29;
    private static final int AVX2 = 5;
    private static final int AVX512F = 16;
    private static final int AVX512BW = 30;
    private static final int AVX512_VNNI = 32 + 11;
    private static final int AMX_TILE = 24;
    private static final int AMX_INT8 = 25;
    private static final int AMX_BF16 = 22;
    private static final int AVX512_BF16 = 5;

    /** Bits of the register that names the saved registers: 256 bits; and masks and all of 512 bits. */
    private static final long YMM = 0x6;

    private static final long ZMM = 0xE6;

    /** Bits of the tiles and their table. */
    private static final long TILES = 0x60000;

    // The system call that asks Linux for the use of a part of the processor.
    private static final long ARCH_PRCTL = 158;
    private static final long REQUEST_PERMISSION = 0x1023;
    private static final long TILE_DATA = 18;

    private Processor() {}

    /** The kernels in Java's Vector API, whose module is there only where the command line of java adds it. */
    static Kernels.Availability vector() {
        return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()
                ? new Kernels.Availability(new VectorKernel(), "this JVM has the Vector API")
                : new Kernels.Availability(null, "java was started without --add-modules jdk.incubator.vector");
    }

    /** The kernels for AVX2. */
    static Kernels.Availability avx2() {
        return probe(false);
    }

    /** The kernels for AVX-512 with VNNI. */
    static Kernels.Availability vnni() {
        return probe(true);
    }

    /** The kernels for AMX. */
    static Kernels.Availability amx() {
        Kernels.Availability wide = probe(true);
        if (wide.kernel() == null) {
            return wide;
        }
        if ((savedRegisters() & TILES) != TILES || !all(leafOfMore(), AMX_TILE, AMX_INT8)) {
            return new Kernels.Availability(null, "the processor has no AMX");
        }
        return allowsTiles()
                ? new Kernels.Availability(new CodeKernel(true, true), "the processor has AMX")
                : new Kernels.Availability(null, "the operating system refuses the use of AMX");
    }

    /** Whether products of bf16 numbers have instructions of their own; true where this cannot be asked. */
    static boolean hasBf16() {
        if (!System.getProperty("os.arch", "").equals("amd64")) {
            return true;
        }
        try {
            return all(leafOfMore(), AMX_BF16) || all(secondLeafOfMore(), AVX512_BF16);
        } catch (UnsupportedOperationException e) {
            return true;
        }
    }

    private static Kernels.Availability probe(boolean wide) {
        String wanted = wide ? "AVX-512 with VNNI" : "AVX2, FMA and F16C";
        if (!System.getProperty("os.arch", "").equals("amd64")) {
            return new Kernels.Availability(null, "machine code is written for x86-64 only");
        }
        try {
            return offers(wide)
                    ? new Kernels.Availability(new CodeKernel(wide, false), "the processor has " + wanted)
                    : new Kernels.Availability(null, "the processor has no " + wanted);
        } catch (UnsupportedOperationException e) {
            return new Kernels.Availability(null, String.valueOf(e.getMessage()));
        }
    }

    private static boolean offers(boolean wide) {
        long basic = leaf(1) >>> 32;
        if (!all(basic, FMA, SAVES_REGISTERS, AVX, F16C)) {
            return false;
        }
        long saved = savedRegisters();
        long extended = leaf(7);
        if ((saved & YMM) != YMM || !all(extended, AVX2)) {
            return false;
        }
        return !wide || (saved & ZMM) == ZMM && all(extended, AVX512F, AVX512BW, AVX512_VNNI);
    }

    /** Asks the operating system, which saves the tiles of a process only after this. */
    private static boolean allowsTiles() {
        FunctionDescriptor numbers = FunctionDescriptor.of(
                ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG);
        Linker linker = Linker.nativeLinker();
        try {
            return 0
                    == (long) linker.downcallHandle(
                                    linker.defaultLookup().findOrThrow("syscall"),
                                    numbers,
                                    Linker.Option.firstVariadicArg(1))
                            .invokeExact(ARCH_PRCTL, REQUEST_PERMISSION, TILE_DATA);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static long savedRegisters() {
        return call(new Assembler(false).bytes(0x31, 0xC9, 0x0F, 0x01, 0xD0, 0xC3)); // xgetbv of register 0
    }

    private static boolean all(long flags, int... bits) {
        for (int bit : bits) {
            if ((flags >>> bit & 1) == 0) {
                return false;
            }
        }
        return true;
    }

    /** Registers ebx and, in the upper half, ecx of a leaf of cpuid. */
    private static long leaf(int number) {
        // mov eax, ebx; shl rcx, 32; or rax, rcx
        return cpuid(number, 0, 0x89, 0xD8, 0x48, 0xC1, 0xE1, 32, 0x48, 0x09, 0xC8);
    }

    /** Register edx of leaf 7. */
    private static long leafOfMore() {
        return cpuid(7, 0, 0x89, 0xD0); // mov eax, edx
    }

    /** Register eax of leaf 7, subleaf 1. */
    private static long secondLeafOfMore() {
        return cpuid(7, 1);
    }

    /** @param result code that moves registers of the leaf to rax */
    private static long cpuid(int leaf, int subleaf, int... result) {
        return call(new Assembler(false)
                .bytes(0x53, 0xB8, leaf, 0, 0, 0) // push rbx; mov eax, leaf
                .bytes(0xB9, subleaf, 0, 0, 0, 0x0F, 0xA2) // mov ecx, subleaf; cpuid
                .bytes(result)
                .bytes(0x5B, 0xC3)); // pop rbx; ret
    }

    private static long call(Assembler function) {
        MemorySegment code = Pages.executable(function.code());
        try {
            return (long) Linker.nativeLinker()
                    .downcallHandle(code, FunctionDescriptor.of(ValueLayout.JAVA_LONG))
                    .invokeExact();
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
