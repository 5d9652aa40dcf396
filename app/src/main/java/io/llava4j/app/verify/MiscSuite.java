package io.llava4j.app.verify;

import io.llava4j.DataException;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.Sampler;
import io.llava4j.text.Turn;
import io.llava4j.train.data.Box;
import io.llava4j.train.data.Boxes;
import io.llava4j.train.data.LlavaRecord;
import io.llava4j.train.data.ModalityGroupedSampler;
import io.llava4j.train.run.LearningRate;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Data order, learning rate, sampling filters and boxes against recorded values. */
public final class MiscSuite implements Suite {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    /** Features of one image in the reference's second, unused length of a sample. */
    private static final int REFERENCE_IMAGE_LENGTH = 128;

    private final Map<String, BiConsumer<JsonNode, Consumer<CaseResult>>> files = new LinkedHashMap<>();

    /** A suite for any folder that holds at least one of its files. */
    public MiscSuite() {
        files.put("sampler.json", this::sampler);
        files.put("lr_schedule.json", this::learningRate);
        files.put("sampling_warpers.json", this::samplingFilters);
        files.put("boxes.json", this::boxes);
    }

    @Override
    public String name() {
        return "misc";
    }

    @Override
    public boolean accepts(Path dir) {
        return files.keySet().stream().anyMatch(f -> Files.isRegularFile(dir.resolve(f)));
    }

    @Override
    public void run(Path dir, Consumer<CaseResult> out) {
        files.forEach((name, check) -> {
            Path file = dir.resolve(name);
            if (!Files.isRegularFile(file)) {
                out.accept(CaseResult.skipped(name(), name, "the folder has no such file"));
                return;
            }
            try {
                check.accept(JSON.readTree(file), out);
            } catch (JacksonException e) {
                throw new DataException(
                        "%s is not JSON of the expected form: %s".formatted(file, e.getOriginalMessage()), e);
            }
        });
    }

    private void sampler(JsonNode root, Consumer<CaseResult> out) {
        for (JsonNode item : root.path("cases")) {
            String label = "sampler/" + item.required("name").asString();
            attempt(out, label, () -> {
                List<int[]> recorded = new ArrayList<>();
                item.required("randperm_results_in_call_order").forEach(p -> recorded.add(ints(p)));
                int[] order = new ModalityGroupedSampler(
                                ints(item.required("lengths")),
                                item.required("batch_size").asInt(),
                                item.required("world_size").asInt())
                        .order(size -> recorded.removeFirst());
                return equal(label, order, ints(item.required("expected_indices")));
            });
        }
        each(root.path("split_to_even_chunks"), "sampler/split_to_even_chunks", out, (item, label) -> {
            List<int[]> expected = new ArrayList<>();
            item.required("expected").forEach(c -> expected.add(ints(c)));
            List<int[]> chunks = ModalityGroupedSampler.split(
                    ints(item.required("indices")),
                    ints(item.required("lengths")),
                    item.required("num_chunks").asInt());
            return equal(
                    label,
                    chunks.stream().map(Arrays::toString).toList(),
                    expected.stream().map(Arrays::toString).toList());
        });
        JsonNode modality = root.path("modality_lengths");
        if (modality.isObject()) {
            attempt(out, "sampler/modality_lengths", () -> {
                int[] lengths = signedLengths(modality);
                return equal("sampler/modality_lengths", lengths, ints(modality.required("expected")));
            });
            attempt(out, "sampler/lengths", () -> {
                int[] lengths = Arrays.stream(signedLengths(modality))
                        .map(l -> l > 0 ? l + REFERENCE_IMAGE_LENGTH : -l)
                        .toArray();
                return equal("sampler/lengths", lengths, ints(modality.required("expected_lengths_property")));
            });
        }
    }

    private static int[] signedLengths(JsonNode modality) {
        return modality.required("data")
                .valueStream()
                .map(record -> new LlavaRecord(
                        "",
                        record.path("image").isString()
                                ? List.of(record.path("image").asString())
                                : List.of(),
                        record.required("conversations")
                                .valueStream()
                                .map(turn -> Turn.human(turn.required("value").asString()))
                                .toList()))
                .mapToInt(ModalityGroupedSampler::signedLength)
                .toArray();
    }

    private void learningRate(JsonNode root, Consumer<CaseResult> out) {
        each(root.path("cases"), "lr_schedule", out, (item, label) -> {
            int total = item.required("total_steps").asInt();
            double peak = item.required("base_lr").asDouble();
            LearningRate rate = new LearningRate(
                    new LearningRate.Config(
                            LearningRate.Curve.COSINE,
                            item.required("warmup_ratio").asDouble(),
                            1,
                            null),
                    total);
            if (rate.warmupSteps() != item.required("warmup_steps").asInt()) {
                return CaseResult.exact(name(), label, false, "warm-up of %d steps".formatted(rate.warmupSteps()));
            }
            double worst = item.required("lr_used_at_step").properties().stream()
                    .mapToDouble(e -> relative(
                            rate.at(Integer.parseInt(e.getKey()), peak),
                            e.getValue().asDouble()))
                    .max()
                    .orElse(Double.NaN);
            if (item.has("lr_after_last_step")) {
                worst = Math.max(
                        worst,
                        relative(
                                rate.at(total, peak),
                                item.required("lr_after_last_step").asDouble()));
            }
            return CaseResult.within(name(), label, worst, 1e-12);
        });
    }

    private void samplingFilters(JsonNode root, Consumer<CaseResult> out) {
        each(root.path("cases"), "sampling_warpers", out, (item, label) -> {
            double[] logits = doubles(item.required("logits"));
            float[] floats = new float[logits.length];
            for (int i = 0; i < logits.length; i++) {
                floats[i] = (float) logits[i];
            }
            GenerationOptions options = new GenerationOptions(
                    1,
                    item.required("temperature").asDouble(),
                    item.required("top_p").asDouble(),
                    item.required("top_k").asInt(),
                    item.required("repetition_penalty").asDouble(),
                    0);
            double[] probabilities = Sampler.probabilities(floats, ints(item.required("context_ids")), options);
            double[] expected = doubles(item.required("probs"));
            boolean sameKept = IntStream.range(0, expected.length)
                    .allMatch(i -> ((float) probabilities[i] == 0) == ((float) expected[i] == 0));
            return sameKept
                    ? CaseResult.within(name(), label, difference(probabilities, expected), 1e-6)
                    : CaseResult.exact(name(), label, false, "other tokens are filtered out than in the reference");
        });
    }

    private void boxes(JsonNode root, Consumer<CaseResult> out) {
        each(root.path("cases"), "boxes", out, (item, label) -> {
            int width = item.required("width").asInt();
            int height = item.required("height").asInt();
            double[] b = doubles(item.required("bbox_xywh"));
            Box padded = Boxes.onPaddedSquare(width, height, b[0], b[1], b[2], b[3]);
            Box plain = Boxes.onImage(width, height, b[0], b[1], b[2], b[3]);
            double[] pixels = Boxes.toPixels(padded, width, height);
            double error = Math.max(
                    Math.max(
                            difference(corners(padded), doubles(item.required("normalised_padded_square"))),
                            difference(corners(plain), doubles(item.required("normalised_unpadded")))),
                    difference(pixels, new double[] {b[0], b[1], b[0] + b[2], b[1] + b[3]}) / Math.max(width, height));
            String expected = item.required("text_padded_square").asString() + " "
                    + item.required("text_unpadded").asString();
            String text = Boxes.fixedText(padded) + " " + Boxes.fixedText(plain);
            return text.equals(expected)
                    ? CaseResult.within(name(), label, error, 1e-12)
                    : CaseResult.exact(name(), label, false, "%s instead of %s".formatted(text, expected));
        });
        each(root.path("parse_examples_own"), "boxes/parse", out, (item, label) -> {
            Optional<Box> parsed = Boxes.parse(item.required("text").asString());
            JsonNode values = item.required("values");
            String expected = values.isNull() ? "none" : Arrays.toString(doubles(values));
            return equal(label, parsed.map(p -> Arrays.toString(corners(p))).orElse("none"), expected);
        });
    }

    /** A comparison of one recorded item. */
    @FunctionalInterface
    private interface Check {
        CaseResult of(JsonNode item, String label);
    }

    private void each(JsonNode items, String prefix, Consumer<CaseResult> out, Check check) {
        int index = 0;
        for (JsonNode item : items) {
            String label = prefix + "/" + index++;
            attempt(out, label, () -> check.of(item, label));
        }
    }

    /** A case that throws fails and leaves the following ones alone. */
    private void attempt(Consumer<CaseResult> out, String label, Supplier<CaseResult> check) {
        CaseResult result;
        try {
            result = check.get();
        } catch (RuntimeException e) {
            result = CaseResult.exact(name(), label, false, e.toString());
        }
        out.accept(result);
    }

    private CaseResult equal(String label, int[] actual, int[] expected) {
        return equal(label, Arrays.toString(actual), Arrays.toString(expected));
    }

    private CaseResult equal(String label, Object actual, Object expected) {
        return CaseResult.exact(name(), label, actual.equals(expected), "%s instead of %s".formatted(actual, expected));
    }

    private static double[] corners(Box box) {
        return new double[] {box.x1(), box.y1(), box.x2(), box.y2()};
    }

    private static double relative(double actual, double expected) {
        double difference = Math.abs(actual - expected);
        return difference == 0 ? 0 : difference / Math.abs(expected);
    }

    private static double difference(double[] actual, double[] expected) {
        if (actual.length != expected.length) {
            return Double.NaN;
        }
        return IntStream.range(0, actual.length)
                .mapToDouble(i -> Math.abs(actual[i] - expected[i]))
                .reduce(0, Math::max);
    }

    private static int[] ints(JsonNode array) {
        return array.valueStream().mapToInt(JsonNode::asInt).toArray();
    }

    private static double[] doubles(JsonNode array) {
        return array.valueStream().mapToDouble(JsonNode::asDouble).toArray();
    }
}
