package io.llava4j.parity;

import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.CheckpointWriter;
import io.llava4j.checkpoint.Converter;
import io.llava4j.checkpoint.layout.CheckpointLayout;
import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.image.AspectMode;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * Tiny random models whose rows are whole blocks of 32 and no whole blocks of 256, so that llama.cpp gives every matrix the
 * type that {@code llava quantize} gives it. {@link #main} writes one for llama.cpp, and reads what llama.cpp made of it.
 */
final class QuantisedFixture {
    static final LlavaConfig CONFIG = new LlavaConfig(
            new VisionConfig(32, 64, 3, 2, 21, 7, 1e-5, "quick_gelu", List.of()),
            new TextConfig(64, 96, 2, 4, 2, 40, 128, 1e-6, 10000, false, 1, 2, 0),
            "mlp2x_gelu",
            -2,
            false,
            AspectMode.PAD,
            -1,
            0);

    private static final int BLOCK = 32;

    private QuantisedFixture() {}

    /**
     * With a seed and a new folder: writes the model of that seed as GGUF in 32 bits. With a folder: prints the digest of
     * the language model in its GGUF file.
     */
    public static void main(String[] arguments) {
        if (arguments.length == 2) {
            writeGguf(Long.parseLong(arguments[0]), Path.of(arguments[1]), Converter.Precision.F32);
        } else {
            try (Checkpoint checkpoint = Checkpoint.open(Path.of(arguments[0]))) {
                System.out.println(languageModelDigest(checkpoint));
            }
        }
    }

    /** The weights of a seed, by canonical name. */
    static Map<String, float[]> weights(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Map<String, float[]> weights = new LinkedHashMap<>();
        shapes().forEach((name, shape) -> {
            float[] values = new float[Math.toIntExact(Arrays.stream(shape).reduce(1, Math::multiplyExact))];
            boolean isMatrix = shape.length > 1;
            boolean isScale = name.contains("norm") && name.endsWith("weight");
            double deviation = isMatrix ? Math.sqrt((double) shape[0] / values.length) : 0.1;
            for (int i = 0; i < values.length; i++) {
                values[i] =
                        (float) (random.nextGaussian() * (name.contains("embed") ? 1 : deviation) + (isScale ? 1 : 0));
            }
            weights.put(name, values);
        });
        return weights;
    }

    /** A normalised image of noise. */
    static float[] pixels(SplittableRandom random) {
        int edge = CONFIG.vision().imageSize();
        float[] pixels = new float[3 * edge * edge];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (float) (4 * random.nextDouble() - 2);
        }
        return pixels;
    }

    private static Map<String, long[]> shapes() {
        return new TreeMap<>(ExpectedTensors.of(new ModelKind.Llava(CONFIG)).shapes());
    }

    /** Writes the model of a seed as GGUF; returns the folder. */
    static Path writeGguf(long seed, Path folder, Converter.Precision precision) {
        Path model = folder.resolve("model");
        Map<String, long[]> shapes = shapes();
        CheckpointWriter.save(
                model,
                new ModelKind.Llava(CONFIG),
                null,
                weights(seed).entrySet().stream()
                        .map(entry -> TensorSource.of(
                                entry.getKey(), entry.getValue(), Objects.requireNonNull(shapes.get(entry.getKey()))))
                        .toList());
        Path gguf = folder.resolve(precision.name());
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            Converter.convert(checkpoint, gguf, CheckpointLayout.GGUF, precision, (tensor, number, total) -> {});
        }
        return gguf;
    }

    /** SHA-256 of names, types and bytes of the language model's tensors, in the order of their names. */
    static String languageModelDigest(Checkpoint checkpoint) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (TensorEntry tensor : new TreeMap<>(checkpoint.tensors()).values()) {
                if (!tensor.name().contains("vision_tower") && !tensor.name().contains("mm_projector")) {
                    digest.update((tensor.name() + " " + tensor.storedType() + "\n").getBytes());
                    digest.update(tensor.storedData().toArray(ValueLayout.JAVA_BYTE));
                }
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The weights of a seed as Q4_0 files have them, by the formats' definitions. */
    static Map<String, double[]> quantised(long seed) {
        Map<String, long[]> shapes = shapes();
        Map<String, double[]> quantised = new LinkedHashMap<>();
        weights(seed).forEach((name, values) -> {
            boolean isOfImages = name.contains("vision_tower") || name.contains("mm_projector");
            double[] rounded = new double[values.length];
            if (Objects.requireNonNull(shapes.get(name)).length == 1 || name.contains("position_embedding")) {
                Arrays.setAll(rounded, i -> values[i]);
            } else if (isOfImages) {
                Arrays.setAll(rounded, i -> half(values[i]));
            } else {
                for (int begin = 0; begin < values.length; begin += BLOCK) {
                    roundBlock(values, begin, name.equals("lm_head.weight"), rounded);
                }
            }
            quantised.put(name, rounded);
        });
        return quantised;
    }

    /**
     * Q8_0: the largest magnitude is 127 steps, halves are rounded away from zero. Q4_0: the element of the largest
     * magnitude is -8 steps, none is above 7. Which level an element gets is computed in 32 bits, as llama.cpp does.
     */
    private static void roundBlock(float[] values, int begin, boolean eightBits, double[] rounded) {
        float largest = 0;
        for (int i = begin; i < begin + BLOCK; i++) {
            largest = Math.abs(values[i]) > Math.abs(largest) ? values[i] : largest;
        }
        float step = eightBits ? Math.abs(largest) / 127 : largest / -8;
        float inverse = 1 / step;
        for (int i = begin; i < begin + BLOCK; i++) {
            float steps = values[i] * inverse;
            double level = eightBits
                    ? Math.signum(steps) * Math.floor(Math.abs((double) steps) + 0.5)
                    : Math.min(15, (int) (steps + 8.5f)) - 8;
            rounded[i] = half(step) * level + 0.0; // no -0
        }
    }

    private static double half(float value) {
        return Float.float16ToFloat(Float.floatToFloat16(value));
    }

    /**
     * What the kernels round: a matrix in blocks multiplies integers, 127 steps to the largest magnitude of each 32
     * neighbouring numbers, halves to even; keys and values are kept in 16 bits.
     */
    static final ScalarLlava.Rounding ROUNDING = new ScalarLlava.Rounding() {
        @Override
        public double[] input(String weight, double[] x) {
            if (weight.contains("vision_tower") || weight.contains("mm_projector")) {
                return x;
            }
            double[] rounded = new double[x.length];
            for (int begin = 0; begin < x.length; begin += BLOCK) {
                double largest = 0;
                for (int i = begin; i < begin + BLOCK; i++) {
                    largest = Math.max(largest, Math.abs(x[i]));
                }
                for (int i = begin; i < begin + BLOCK; i++) {
                    rounded[i] = largest == 0 ? 0 : Math.rint(x[i] * 127 / largest) * largest / 127;
                }
            }
            return rounded;
        }

        @Override
        public double[] cached(double[] x) {
            return Arrays.stream(x).map(value -> half((float) value)).toArray();
        }
    };
}
