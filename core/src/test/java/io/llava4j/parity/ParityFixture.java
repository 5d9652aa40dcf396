package io.llava4j.parity;

import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.image.AspectMode;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.text.Prompt;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A tiny model with grouped-query attention, three images, and three sequences with one, two and no image; and the file
 * of the numbers that {@link ScalarLlava} computes for them. {@link #main} writes that file again.
 */
final class ParityFixture {
    /** The stored numbers. */
    static final Path FILE = Path.of("src/test/resources/parity/tiny-llava.tsv");

    static final LlavaConfig CONFIG = new LlavaConfig(
            new VisionConfig(24, 40, 3, 3, 21, 7, 1e-5, "quick_gelu", List.of()),
            new TextConfig(32, 48, 2, 4, 2, 32, 64, 1e-6, 10000, false, 1, 2, 0),
            "mlp2x_gelu",
            -2,
            false,
            AspectMode.PAD,
            -1,
            0);

    private static final Map<String, long[]> SHAPES =
            ExpectedTensors.of(new ModelKind.Llava(CONFIG)).shapes();

    private static final int IMAGE = Prompt.IMAGE_TOKEN_INDEX;

    static final List<int[]> SEQUENCES =
            List.of(new int[] {1, IMAGE, 7, 9, 31}, new int[] {1, 5, IMAGE, IMAGE, 12, 30, 2}, new int[] {1, 20, 21});

    private ParityFixture() {}

    /** Writes the file; the working directory is the module's. */
    public static void main(String[] args) throws IOException {
        String text = expected().entrySet().stream()
                .map(entry -> entry.getKey() + "\t"
                        + Arrays.stream(entry.getValue())
                                .mapToObj(value -> String.format(Locale.ROOT, "%.9e", value))
                                .collect(Collectors.joining(" ")))
                .collect(Collectors.joining("\n", "", "\n"));
        Files.writeString(FILE, text);
    }

    /** The stored numbers by name, row-major. */
    static Map<String, double[]> stored() throws IOException {
        Map<String, double[]> stored = new LinkedHashMap<>();
        for (String line : Files.readAllLines(FILE)) {
            String[] fields = line.split("\t");
            stored.put(
                    fields[0],
                    Arrays.stream(fields[1].split(" "))
                            .mapToDouble(Double::parseDouble)
                            .toArray());
        }
        return stored;
    }

    /** What the reference computes. */
    static Map<String, double[]> expected() {
        ScalarLlava reference = new ScalarLlava(CONFIG, ParityFixture::values);
        Map<String, double[]> expected = new LinkedHashMap<>();
        List<double[][]> images = new ArrayList<>();
        for (int i = 0; i < images().size(); i++) {
            double[][] features = reference.imageFeatures(images().get(i));
            images.add(reference.imageTokens(features));
            expected.put("image features " + i, flat(features));
            expected.put("image tokens " + i, flat(images.get(i)));
        }
        expected.put("logits 0", flat(reference.logits(SEQUENCES.get(0), images.subList(0, 1))));
        expected.put("logits 1", flat(reference.logits(SEQUENCES.get(1), images.subList(1, 3))));
        expected.put("logits 2", flat(reference.logits(SEQUENCES.get(2), List.of())));
        return expected;
    }

    /** Normalised pixels {@code [3, size, size]} of the three images. */
    static List<PreparedImage> prepared() {
        return images().stream().map(PreparedImage::of).toList();
    }

    static List<float[]> images() {
        List<float[]> images = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            int size = CONFIG.vision().imageSize();
            images.add(floats("image " + i, 3 * size * size, 2));
        }
        return images;
    }

    /** The weight of that name, exactly as the network has it: values that 32-bit floats represent. */
    static float[] weight(String name, long... shape) {
        int count = Math.toIntExact(Arrays.stream(shape).reduce(1, Math::multiplyExact));
        if (shape.length == 1) {
            float[] values = floats(name, count, 0.2);
            float centre = name.contains("norm") && name.endsWith("weight") ? 1 : 0;
            for (int i = 0; i < count; i++) {
                values[i] += centre;
            }
            return values;
        }
        return floats(name, count, name.contains("embed_tokens") ? 1 : Math.sqrt(3.0 * shape[0] / count));
    }

    private static double[] values(String name) {
        return doubles(weight(name, shapes().getOrDefault(name, new long[0])));
    }

    /** Names and shapes of the model's tensors. */
    static Map<String, long[]> shapes() {
        return SHAPES;
    }

    /** Numbers in {@code (-bound, bound)} that depend on the name only (the mixing function of SplitMix64). */
    private static float[] floats(String name, int count, double bound) {
        long state = name.hashCode() * 0x9E3779B97F4A7C15L;
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            state += 0x9E3779B97F4A7C15L;
            long z = (state ^ state >>> 30) * 0xBF58476D1CE4E5B9L;
            z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
            values[i] = (float) (bound * (((z ^ z >>> 31) >> 11) * 0x1p-52));
        }
        return values;
    }

    private static double[] doubles(float[] values) {
        double[] wide = new double[values.length];
        Arrays.setAll(wide, i -> values[i]);
        return wide;
    }

    static double[] flat(double[][] values) {
        return Arrays.stream(values).flatMapToDouble(Arrays::stream).toArray();
    }
}
