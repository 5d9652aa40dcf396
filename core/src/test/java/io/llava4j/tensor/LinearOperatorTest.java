package io.llava4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.ConfigException;
import io.llava4j.tensor.format.BlockFormat;
import io.llava4j.tensor.format.TensorCast;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BiFunction;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The contract of {@link LinearOperator}: every implementation, on the same inputs, against the scalar reference. */
class LinearOperatorTest {
    /** Two tiles for several columns and 18 for one, the last of them smaller. */
    private static final int TILED_OUT = 2900;

    private static final int TILED_IN = 1600;

    /** An implementation with a storage type of the weight that it takes. */
    record Implementation(String name, BlockFormat storage, BiFunction<Tensor, @Nullable Tensor, LinearOperator> make) {
        @Override
        public String toString() {
            return name + " " + storage;
        }
    }

    /** Sizes, and factors of weight and input whose product is about 1. */
    record Case(int out, int in, int columns, boolean bias, float weightScale) {}

    static List<Implementation> implementations() {
        List<Implementation> all = new ArrayList<>();
        all.add(new Implementation("dense", BlockFormat.F32, DenseLinear::new));
        for (BlockFormat storage : List.of(BlockFormat.F16, BlockFormat.BF16)) {
            all.add(new Implementation("upcast", storage, UpcastLinear::new));
        }
        for (BlockFormat storage : List.of(BlockFormat.F32, BlockFormat.F16, BlockFormat.BF16)) {
            for (LinearProvider provider : LinearProvider.values()) {
                all.add(new Implementation(provider.name(), storage, provider::create));
            }
        }
        return all;
    }

    private static List<Case> cases(BlockFormat storage) {
        List<Case> cases = new ArrayList<>();
        for (int[] shape : new int[][] {{1, 1}, {1, 37}, {5, 1}, {16, 64}, {33, 31}, {67, 129}, {40, 515}}) {
            for (int columns : new int[] {1, 2, 7, 33}) {
                cases.add(new Case(shape[0], shape[1], columns, columns % 2 == 1, 1));
            }
        }
        float extreme = storage == BlockFormat.F16 ? 1e3f : 1e30f;
        for (int columns : new int[] {1, 5}) {
            cases.add(new Case(19, 70, columns, false, extreme));
            cases.add(new Case(19, 70, columns, false, 1 / extreme));
        }
        return cases;
    }

    @ParameterizedTest
    @MethodSource("implementations")
    void agreesWithTheScalarReference(Implementation implementation) {
        for (Case each : cases(implementation.storage)) {
            check(implementation, each);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = BlockFormat.class,
            names = {"F32", "F16", "BF16"})
    void agreesWithTheScalarReferenceOverSeveralTiles(BlockFormat storage) {
        Implementation implementation = new Implementation("libtorch", storage, LinearProvider.LIBTORCH::create);
        check(implementation, new Case(TILED_OUT, TILED_IN, 1, true, 1));
        check(implementation, new Case(TILED_OUT, TILED_IN, 3, false, 1));
    }

    private static void check(Implementation implementation, Case each) {
        SplittableRandom random = new SplittableRandom(each.hashCode());
        float[] weights = random(random, each.out * each.in, each.weightScale);
        float[] x = random(random, each.columns * each.in, 1 / each.weightScale);
        float[] bias = each.bias ? random(random, each.out, 1) : null;
        MemorySegment stored = stored(weights, implementation.storage);
        float[] expected = ReferenceLinear.multiply(x, implementation.storage, stored, each.out, each.in, bias);
        double[] tolerances = tolerances(x, weights, each);
        float[] actual = Engine.inference("test", () -> {
            LinearOperator operator = implementation.make.apply(
                    Tensors.copyOf(stored, type(implementation.storage), each.out, each.in),
                    bias == null ? null : Tensors.of(bias, each.out));
            Tensor input = Tensors.of(x, 1, each.columns, each.in);
            Tensor product = operator.apply(input);
            assertThat(Tensors.shape(product)).containsExactly(1, each.columns, each.out);
            assertThat(product.scalar_type().intern()).isEqualTo(torch.ScalarType.Float);
            assertThat(Tensors.toFloats(input)).as("the input stays unchanged").isEqualTo(x);
            return Tensors.toFloats(product);
        });
        for (int i = 0; i < actual.length; i++) {
            assertThat((double) actual[i])
                    .as("%s, %s, element %d", implementation, each, i)
                    .isBetween(expected[i] - tolerances[i], expected[i] + tolerances[i]);
        }
    }

    /** Rounding of a sum in 32-bit floats grows with the magnitudes that it adds up and with the root of their number. */
    private static double[] tolerances(float[] x, float[] weights, Case each) {
        double[] tolerances = new double[each.columns * each.out];
        for (int column = 0; column < each.columns; column++) {
            for (int i = 0; i < each.out; i++) {
                double magnitude = 1;
                for (int k = 0; k < each.in; k++) {
                    magnitude += Math.abs((double) weights[i * each.in + k] * x[column * each.in + k]);
                }
                tolerances[column * each.out + i] = magnitude * (4 + Math.sqrt(each.in)) * 0x1p-24;
            }
        }
        return tolerances;
    }

    @ParameterizedTest
    @MethodSource("implementations")
    void takesAnyLeadingDimensionsAndStrides(Implementation implementation) {
        SplittableRandom random = new SplittableRandom(7);
        MemorySegment stored = stored(random(random, 6 * 10, 1), implementation.storage);
        float[] values = random(random, 10 * 4, 1);
        Engine.inference("test", () -> {
            LinearOperator operator =
                    implementation.make.apply(Tensors.copyOf(stored, type(implementation.storage), 6, 10), null);
            Tensor contiguous = Tensors.of(values, 4, 10);
            Tensor strided = contiguous.t().contiguous().t();
            assertThat(strided.is_contiguous()).isFalse();
            float[] expected = Tensors.toFloats(operator.apply(contiguous));
            assertThat(Tensors.toFloats(operator.apply(strided))).isEqualTo(expected);
            Tensor deep = operator.apply(contiguous.view(2, 1, 2, 10));
            assertThat(Tensors.shape(deep)).containsExactly(2, 1, 2, 6);
            assertThat(Tensors.toFloats(deep)).isEqualTo(expected);
            assertThat(Tensors.shape(operator.apply(contiguous.select(0, 0)))).containsExactly(6);
            return null;
        });
    }

    @ParameterizedTest
    @MethodSource("implementations")
    void aNaNReachesEveryOutputOfItsColumnOnly(Implementation implementation) {
        MemorySegment stored = stored(random(new SplittableRandom(8), 3 * 8, 1), implementation.storage);
        float[] x = random(new SplittableRandom(9), 2 * 8, 1);
        x[5] = Float.NaN;
        Engine.inference("test", () -> {
            float[] product = Tensors.toFloats(implementation
                    .make
                    .apply(Tensors.copyOf(stored, type(implementation.storage), 3, 8), null)
                    .apply(Tensors.of(x, 2, 8)));
            for (int i = 0; i < product.length; i++) {
                assertThat(Float.isNaN(product[i])).isEqualTo(i < 3);
            }
            return null;
        });
    }

    /** The reference itself, by hand and on blocks; nothing else in this class would notice if it were wrong. */
    @Test
    void theReferenceIsTheDefinition() {
        float[] x = {1, 2, 3, -1, 0, 1};
        MemorySegment weight = MemorySegment.ofArray(new float[] {1, 10, 100, 0, -1, 0.5f});
        assertThat(ReferenceLinear.multiply(x, BlockFormat.F32, weight, 2, 3, new float[] {0.5f, 0}))
                .containsExactly(321.5f, -0.5f, 99.5f, 0.5f);

        float[] ones = new float[64];
        Arrays.fill(ones, 1);
        float[] values = new float[64];
        for (int i = 0; i < values.length; i++) {
            values[i] = i % 32 - 8;
        }
        MemorySegment blocks = stored(values, BlockFormat.Q8_0);
        float[] decoded = new float[64];
        TensorCast.decode(BlockFormat.Q8_0, blocks, 0, 64, decoded);
        double sum = 0;
        for (float value : decoded) {
            sum += value;
        }
        assertThat(ReferenceLinear.multiply(ones, BlockFormat.Q8_0, blocks, 1, 64, null))
                .containsExactly((float) sum);
    }

    @Test
    void aDenseWeightGivesTheEnginesOwnProduct() {
        Engine.inference("test", () -> {
            SplittableRandom random = new SplittableRandom(3);
            Tensor weight = Tensors.of(random(random, 50 * 40, 1), 50, 40);
            Tensor x = Tensors.of(random(random, 6 * 40, 1), 2, 3, 40);
            LinearOperator operator = LinearProvider.LIBTORCH.create(weight, null);
            assertThat(Tensors.toFloats(operator.apply(x))).isEqualTo(Tensors.toFloats(torch.linear(x, weight)));
            Tensor column = x.select(0, 0).select(0, 0);
            assertThat(Tensors.toFloats(operator.apply(column))).isEqualTo(Tensors.toFloats(weight.mv(column)));
            return null;
        });
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void aNarrowWeightRoundsLikeItsUpcastSelf(int columns) {
        Engine.inference("test", () -> {
            SplittableRandom random = new SplittableRandom(4);
            Tensor weight = Tensors.of(random(random, 50 * 40, 1), 50, 40).to(torch.ScalarType.BFloat16);
            Tensor bias = Tensors.of(random(random, 50, 1), 50);
            Tensor x = Tensors.of(random(random, columns * 40, 1), columns, 40);
            LinearOperator dense = LinearProvider.LIBTORCH.create(weight.to(Tensors.FLOAT), bias);
            assertThat(Tensors.toFloats(
                            LinearProvider.LIBTORCH.create(weight, bias).apply(x)))
                    .isEqualTo(Tensors.toFloats(dense.apply(x)));
            return null;
        });
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void gradientsFlowThroughADenseWeight(int columns) {
        Engine.scope("test", () -> {
            SplittableRandom random = new SplittableRandom(5);
            Tensor weight = Tensors.of(random(random, 3 * 2, 1), 3, 2).requires_grad_(true);
            Tensor bias = Tensors.of(random(random, 3, 1), 3).requires_grad_(true);
            float[] values = random(random, columns * 2, 1);
            LinearProvider.LIBTORCH
                    .create(weight, bias)
                    .apply(Tensors.of(values, columns, 2))
                    .sum()
                    .backward();
            assertThat(Tensors.toFloats(bias.grad())).containsOnly(columns);
            float[] sums = new float[2];
            for (int i = 0; i < values.length; i++) {
                sums[i % 2] += values[i];
            }
            assertThat(Tensors.toFloats(weight.grad()))
                    .containsExactly(new float[] {sums[0], sums[1], sums[0], sums[1], sums[0], sums[1]}, within(1e-5f));
            return null;
        });
    }

    @Test
    void onlyATileOfANarrowWeightIsHeldTwice() {
        MemorySegment stored = stored(random(new SplittableRandom(1), TILED_OUT * TILED_IN, 1), BlockFormat.BF16);
        Engine.inference("test", () -> {
            LinearOperator operator =
                    new UpcastLinear(Tensors.copyOf(stored, torch.ScalarType.BFloat16, TILED_OUT, TILED_IN), null);
            Tensor x = Tensors.of(random(new SplittableRandom(2), TILED_IN, 1), 1, TILED_IN);
            operator.apply(x);
            long before = Pointer.totalCount();
            for (int i = 0; i < 10; i++) {
                operator.apply(x);
            }
            // Ten results, which belong to this scope, and their handful of helpers; not 180 tiles.
            assertThat(Pointer.totalCount() - before).isLessThan(100);
            return null;
        });
    }

    @Test
    void theProviderIsChosenByName() {
        assertThat(LinearProvider.choose(null)).isEqualTo(LinearProvider.LIBTORCH);
        assertThat(LinearProvider.choose("libtorch")).isEqualTo(LinearProvider.LIBTORCH);
        assertThat(LinearProvider.choose("reference")).isEqualTo(LinearProvider.REFERENCE);
        assertThatThrownBy(() -> LinearProvider.choose("fast"))
                .isInstanceOf(ConfigException.class)
                .hasMessage("-Dllava4j.linear=fast is unknown; use libtorch or reference");
    }

    private static MemorySegment stored(float[] values, BlockFormat format) {
        MemorySegment stored = MemorySegment.ofArray(new byte[Math.toIntExact(format.bytes(values.length))]);
        assertThat(TensorCast.cast(BlockFormat.F32, MemorySegment.ofArray(values), values.length, format, stored))
                .isTrue();
        return stored;
    }

    private static torch.ScalarType type(BlockFormat format) {
        return switch (format) {
            case F32 -> torch.ScalarType.Float;
            case F16 -> torch.ScalarType.Half;
            case BF16 -> torch.ScalarType.BFloat16;
            default -> throw new IllegalArgumentException(format.name());
        };
    }

    /** Numbers of either sign whose magnitudes span three decimal orders. */
    private static float[] random(SplittableRandom random, int count, float scale) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            double magnitude = Math.pow(10, random.nextDouble(-2, 1));
            values[i] = (float) (scale * (random.nextBoolean() ? magnitude : -magnitude));
        }
        return values;
    }
}
