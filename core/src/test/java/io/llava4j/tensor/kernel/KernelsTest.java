package io.llava4j.tensor.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.CheckpointException;
import io.llava4j.ConfigException;
import io.llava4j.tensor.format.BlockFormat;
import io.llava4j.tensor.format.TensorCast;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The contract of {@link Kernels}: every implementation that this machine offers, over every format and shape. */
class KernelsTest {
    private static final int[] COLUMNS = {1, 2, 3, 5, 8, 15, 17, 37, 70};

    /** The scalar kernel takes seconds for more weights with all {@link #COLUMNS}. */
    private static final int MANY_WEIGHTS = 50_000;

    private static final int[] COLUMNS_OF_MANY_WEIGHTS = {1, 17, 37};
    private static final Workers WORKERS = new Workers(3);

    @AfterAll
    static void close() {
        WORKERS.close();
    }

    /** Rows that are no multiple of a tile, and every count of blocks that leaves a unit incomplete. */
    private static List<int[]> shapes(BlockFormat format) {
        int block = format.isQuantised() ? format.blockSize() : 37;
        return List.of(
                new int[] {1, block},
                new int[] {16, 2 * block},
                new int[] {33, 3 * block},
                new int[] {50, 5 * block},
                new int[] {16, 8 * block},
                new int[] {150, 2 * block},
                new int[] {272, 3 * block});
    }

    @ParameterizedTest
    @EnumSource(value = BlockFormat.class, mode = EnumSource.Mode.EXCLUDE, names = "F64")
    void allImplementationsGiveTheSameBits(BlockFormat format) {
        for (int[] shape : shapes(format)) {
            SplittableRandom random = new SplittableRandom(shape[0]);
            MemorySegment rows = RandomBlocks.of(format, shape[0], shape[1], random);
            try (PackedMatrix w = PackedMatrix.pack(format, rows, shape[0], shape[1], WORKERS)) {
                for (int columns : shape[0] * shape[1] < MANY_WEIGHTS ? COLUMNS : COLUMNS_OF_MANY_WEIGHTS) {
                    float[] x = randomColumns(columns, shape[1], random);
                    boolean add = columns % 2 == 0 || columns == 37;
                    int[] expected = bits(product(Kernels.SCALAR, w, x, columns, add));
                    for (Kernels kernels : Kernels.values()) {
                        if (kernels.isAvailable() && kernels != Kernels.SCALAR) {
                            assertThat(bits(product(kernels, w, x, columns, add)))
                                    .as("%s, %s, %s, columns %d", kernels, format, Arrays.toString(shape), columns)
                                    .isEqualTo(expected);
                        }
                    }
                }
            }
        }
    }

    /** Chunks of several tiles, for every count of columns in a last group, alone and behind whole groups. */
    @ParameterizedTest
    @EnumSource(value = BlockFormat.class, mode = EnumSource.Mode.EXCLUDE, names = "F64")
    void severalTilesGiveTheSameBitsForEveryLastGroup(BlockFormat format) {
        int out = 33 * 16;
        int in = format.isQuantised() ? Math.max(64, format.blockSize()) : 37;
        MemorySegment rows = RandomBlocks.of(format, out, in, new SplittableRandom(11));
        try (Workers one = new Workers(1);
                PackedMatrix w = PackedMatrix.pack(format, rows, out, in, one)) {
            float[] x = randomColumns(80, in, new SplittableRandom(12));
            int[] expected = bits(product(Kernels.SCALAR, w, x, 80, false, WORKERS));
            for (Kernels kernels : Kernels.values()) {
                if (kernels.isAvailable() && kernels != Kernels.SCALAR) {
                    IntStream.concat(IntStream.rangeClosed(1, 17), IntStream.rangeClosed(64, 80))
                            .forEach(columns -> assertThat(bits(
                                            product(kernels, w, Arrays.copyOf(x, columns * in), columns, false, one)))
                                    .as("%s, %s, columns %d", kernels, format, columns)
                                    .isEqualTo(Arrays.copyOf(expected, columns * out)));
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = BlockFormat.class, mode = EnumSource.Mode.EXCLUDE, names = "F64")
    void aColumnDoesNotDependOnItsNeighbours(BlockFormat format) {
        int in = 3 * format.blockSize() * (format.isQuantised() ? 1 : 50);
        SplittableRandom random = new SplittableRandom(5);
        MemorySegment rows = RandomBlocks.of(format, 50, in, random);
        try (PackedMatrix w = PackedMatrix.pack(format, rows, 50, in, WORKERS)) {
            float[] x = randomColumns(37, in, random);
            for (Kernels kernels : Kernels.values()) {
                if (kernels.isAvailable()) {
                    int[] together = bits(product(kernels, w, x, 37, false));
                    for (int column = 0; column < 37; column++) {
                        float[] alone = Arrays.copyOfRange(x, column * in, (column + 1) * in);
                        assertThat(bits(product(kernels, w, alone, 1, false)))
                                .as("%s, %s, column %d", kernels, format, column)
                                .isEqualTo(Arrays.copyOfRange(together, column * 50, (column + 1) * 50));
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = BlockFormat.class, mode = EnumSource.Mode.EXCLUDE, names = "F64")
    void theProductIsThatOfDecodedWeightsInDoublePrecision(BlockFormat format) {
        for (int[] shape : shapes(format)) {
            SplittableRandom random = new SplittableRandom(7 + shape[0]);
            MemorySegment rows = RandomBlocks.of(format, shape[0], shape[1], random);
            float[] weights = new float[shape[0] * shape[1]];
            TensorCast.decode(format, rows, 0, weights.length, weights);
            float[] x = randomColumns(2, shape[1], random);
            float[] seen = format.isQuantised() ? roundedLikeActivations(x) : x;
            try (PackedMatrix w = PackedMatrix.pack(format, rows, shape[0], shape[1], WORKERS)) {
                float[] product = product(Kernels.SCALAR, w, x, 2, false);
                for (int i = 0; i < product.length; i++) {
                    double sum = 0;
                    double magnitude = 0;
                    for (int k = 0; k < shape[1]; k++) {
                        double term = (double) weights[i % shape[0] * shape[1] + k] * seen[i / shape[0] * shape[1] + k];
                        sum += term;
                        magnitude += Math.abs(term);
                    }
                    double tolerance = magnitude * (4 + Math.sqrt(shape[1])) * 0x1p-23;
                    assertThat((double) product[i])
                            .as("%s, element %d", Arrays.toString(shape), i)
                            .isBetween(sum - tolerance, sum + tolerance);
                }
            }
        }
    }

    /** Blocks of 32 in 255 steps; the sizes of these tests leave no column with an incomplete block. */
    private static float[] roundedLikeActivations(float[] x) {
        float[] rounded = new float[x.length];
        for (int begin = 0; begin < x.length; begin += 32) {
            float largest = 0;
            for (int i = begin; i < begin + 32; i++) {
                largest = Math.max(largest, Math.abs(x[i]));
            }
            for (int i = begin; i < begin + 32; i++) {
                rounded[i] = (float) Math.rint(x[i] * (127 / largest)) * (largest / 127);
            }
        }
        return rounded;
    }

    @ParameterizedTest
    @EnumSource(
            value = BlockFormat.class,
            names = {"Q4_0", "Q6_K", "BF16"})
    void aNaNReachesEveryOutputOfItsColumnOnly(BlockFormat format) {
        MemorySegment rows = RandomBlocks.of(format, 20, 256, new SplittableRandom(1));
        try (PackedMatrix w = PackedMatrix.pack(format, rows, 20, 256, WORKERS)) {
            for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
                float[] x = randomColumns(3, 256, new SplittableRandom(2));
                x[256 + 70] = bad;
                for (Kernels kernels : Kernels.values()) {
                    if (kernels.isAvailable()) {
                        float[] product = product(kernels, w, x, 3, false);
                        for (int i = 0; i < product.length; i++) {
                            assertThat(Float.isFinite(product[i]))
                                    .as("%s %d", kernels, i)
                                    .isEqualTo(i / 20 != 1);
                        }
                    }
                }
            }
        }
    }

    @Test
    void tinyAndZeroBlocksCountAsZero() {
        MemorySegment rows = RandomBlocks.of(BlockFormat.Q8_0, 3, 64, new SplittableRandom(1));
        try (PackedMatrix w = PackedMatrix.pack(BlockFormat.Q8_0, rows, 3, 64, WORKERS)) {
            float[] x = new float[64];
            Arrays.fill(x, 32, 64, 1e-40f);
            assertThat(product(Kernels.SCALAR, w, x, 1, false)).containsOnly(0);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = BlockFormat.class,
            names = {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"})
    void scalesThatAreNotFiniteAreRefusedWithTheirRow(BlockFormat format) {
        for (short bad : new short[] {0x7C00, (short) 0xFE01}) {
            MemorySegment rows = RandomBlocks.of(format, 40, 512, new SplittableRandom(3));
            long scaleAt = format == BlockFormat.Q6_K ? 208 : 0;
            rows.set(Packer.SHORT, format.bytes(21 * 512) + scaleAt, bad);
            assertThatThrownBy(() -> PackedMatrix.pack(format, rows, 40, 512, WORKERS))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageStartingWith("row 21 holds a scale that is not finite");
        }
    }

    @Test
    void sizesThatDoNotFitAreRefused() {
        MemorySegment rows = RandomBlocks.of(BlockFormat.Q4_0, 20, 64, new SplittableRandom(1));
        assertThatThrownBy(() -> PackedMatrix.pack(BlockFormat.Q4_0, rows, 20, 40, WORKERS))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> PackedMatrix.pack(BlockFormat.Q4_0, rows, 21, 64, WORKERS))
                .isInstanceOf(IllegalArgumentException.class);
        PackedMatrix w = PackedMatrix.pack(BlockFormat.Q4_0, rows, 20, 64, WORKERS);
        try (Arena arena = Arena.ofConfined();
                WorkMemory memory = new WorkMemory()) {
            MemorySegment y = arena.allocate(2 * 20 * 4L);
            Activations two = new Activations(memory);
            two.set(MemorySegment.ofArray(new float[128]), 64, 2, 64);
            Activations narrow = new Activations(memory);
            narrow.set(MemorySegment.ofArray(new float[32]), 32, 1, 32);
            for (Runnable wrong : List.<Runnable>of(
                    () -> Kernels.SCALAR.multiply(w, narrow, y, 20, WORKERS),
                    () -> Kernels.SCALAR.multiply(w, two, y, 21, WORKERS),
                    () -> Kernels.SCALAR.multiply(w, two, y, 19, WORKERS),
                    () -> Kernels.SCALAR.multiply(w, two, MemorySegment.ofArray(new float[40]), 20, WORKERS))) {
                assertThatThrownBy(wrong::run).isInstanceOf(IllegalArgumentException.class);
            }
            w.close();
            assertThatThrownBy(() -> Kernels.SCALAR.multiply(w, two, y, 20, WORKERS))
                    .isInstanceOf(IllegalStateException.class);
        }
    }

    /** Files of packed weights outlive a version of this program: other bytes need another {@link PackedMatrix#LAYOUT}. */
    @Test
    void packedBytesAreThoseOfTheLayout() {
        Map<BlockFormat, String> sums = new EnumMap<>(BlockFormat.class);
        for (BlockFormat format : BlockFormat.values()) {
            if (format == BlockFormat.F64) {
                continue;
            }
            byte[] rows = new byte[Math.toIntExact(format.bytes(40 * 512))];
            for (int i = 0; i < rows.length; i++) {
                rows[i] = (byte) ((i * 0x9E3779B1) >>> 27);
            }
            try (PackedMatrix matrix = PackedMatrix.pack(format, MemorySegment.ofArray(rows), 40, 512, WORKERS)) {
                CRC32C sum = new CRC32C();
                sum.update(matrix.data().asByteBuffer());
                sums.put(format, "%08x".formatted(sum.getValue()));
                assertThat(matrix.data().byteSize()).isEqualTo(PackedMatrix.bytes(format, 40, 512));
            }
        }
        assertThat(PackedMatrix.LAYOUT).isEqualTo(1);
        assertThat(sums)
                .hasToString("{F32=78ea992e, F16=a6c8cf90, Q4_0=c6532983, Q4_1=717f3e87, Q5_0=f110267d, Q5_1=f24aa5e8,"
                        + " Q8_0=10e83ab7, Q4_K=731269a2, Q5_K=4b2a28a8, Q6_K=85dd83f2, BF16=a6c8cf90}");
    }

    @Test
    void theChoiceIsMadeByName() {
        assertThat(Kernels.choose("LLAVA_KERNELS", "scalar")).isEqualTo(Kernels.SCALAR);
        assertThat(Kernels.choose("LLAVA_KERNELS", null).isAvailable()).isTrue();
        for (Kernels kernels : Kernels.values()) {
            assertThat(kernels.reason()).isNotEmpty();
            if (kernels.isAvailable()) {
                assertThat(Kernels.choose("LLAVA_KERNELS", kernels.option())).isEqualTo(kernels);
            } else {
                assertThatThrownBy(() -> Kernels.choose("LLAVA_KERNELS", kernels.option()))
                        .isInstanceOf(ConfigException.class)
                        .hasMessageContaining(kernels.reason());
            }
        }
        assertThatThrownBy(() -> Kernels.choose("LLAVA_KERNELS", "fast"))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith("LLAVA_KERNELS=fast is unknown; use one of [scalar");
    }

    /** Fills what is not to be written, and what is added to, with numbers that would be missed. */
    private static float[] product(Kernels kernels, PackedMatrix w, float[] x, int columns, boolean add) {
        return product(kernels, w, x, columns, add, WORKERS);
    }

    private static float[] product(
            Kernels kernels, PackedMatrix w, float[] x, int columns, boolean add, Workers workers) {
        long stride = w.out() + 3;
        try (Arena arena = Arena.ofShared();
                WorkMemory memory = new WorkMemory()) {
            MemorySegment y = arena.allocate(columns * stride * Float.BYTES, 64);
            for (long i = 0; i < columns * stride; i++) {
                y.setAtIndex(ValueLayout.JAVA_FLOAT, i, 1 + i);
            }
            Activations activations = new Activations(memory);
            activations.set(MemorySegment.ofArray(x), w.in(), columns, w.in());
            if (add) {
                kernels.multiplyAdd(w, activations, y, stride, workers);
            } else {
                kernels.multiply(w, activations, y, stride, workers);
            }
            float[] product = new float[columns * w.out()];
            for (int column = 0; column < columns; column++) {
                for (int row = 0; row < stride; row++) {
                    float value = y.getAtIndex(ValueLayout.JAVA_FLOAT, column * stride + row);
                    if (row < w.out()) {
                        product[column * w.out() + row] = value;
                    } else {
                        assertThat(value).as("what lies between columns stays").isEqualTo(1 + column * stride + row);
                    }
                }
            }
            return product;
        }
    }

    private static int[] bits(float[] values) {
        int[] bits = new int[values.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Float.floatToIntBits(values[i]);
        }
        return bits;
    }

    private static float[] randomColumns(int columns, int in, SplittableRandom random) {
        float[] x = new float[columns * in];
        for (int i = 0; i < x.length; i++) {
            x[i] = RandomBlocks.magnitude(random);
        }
        return x;
    }
}
