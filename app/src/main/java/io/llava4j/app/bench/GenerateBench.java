package io.llava4j.app.bench;

import io.llava4j.generate.ModelLoader;
import io.llava4j.generate.session.DecodingSession;
import io.llava4j.image.RgbImage;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.cpu.CpuLlamaModel;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.kernel.Kernels;
import io.llava4j.tensor.kernel.ReadBandwidth;
import io.llava4j.text.Prompt;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Speed of one answer: load, image, prefill and decoding, beside the machine's read bandwidth. */
public final class GenerateBench {
    private static final double GIGA = 1e9;

    private GenerateBench() {}

    /**
     * What is measured.
     *
     * @param promptTokens text tokens of the prompt
     * @param newTokens tokens decoded after it
     * @param image asked about before the text; null for text only
     * @param rounds after one that warms up
     */
    public record Options(
            int promptTokens, int newTokens, @Nullable RgbImage image, int rounds) {}

    private record Round(double imageSeconds, double prefillSeconds, double decodeSeconds, double bandwidth) {}

    /** Measures a model folder and prints medians. */
    public static void run(PrintWriter out, Path directory, Options options) {
        long start = System.nanoTime();
        try (LlavaModel model = ModelLoader.load(directory, "cpu").model()) {
            double load = seconds(start);
            long weights = model.languageModel() instanceof CpuLlamaModel cpu ? cpu.bytes() : 0;
            out.printf(
                    Locale.ROOT,
                    "%s kernels, %d processors; loaded in %.2f s; the language model's weights take %.2f GB%n",
                    Kernels.instance().option(),
                    Runtime.getRuntime().availableProcessors(),
                    load,
                    weights / GIGA);
            out.flush();
            List<Round> rounds = new ArrayList<>();
            for (int round = -1; round < options.rounds(); round++) {
                Round measured = Engine.inference("bench generate", () -> round(model, options));
                if (round >= 0) {
                    rounds.add(measured);
                }
            }
            print(out, options, model, weights, rounds);
        }
    }

    private static Round round(LlavaModel model, Options options) {
        int[] ids = prompt(model, options);
        double bandwidth = ReadBandwidth.measure();
        List<float[]> images = new ArrayList<>();
        double imageSeconds = 0;
        if (options.image() != null) {
            float[] pixels = model.config()
                    .vision()
                    .imageProcessor(model.config().aspectMode())
                    .process(options.image());
            images.add(pixels);
            long start = System.nanoTime();
            Engine.scope("image", () -> model.encode(images));
            imageSeconds = seconds(start);
        }
        long start = System.nanoTime();
        try (DecodingSession session = DecodingSession.open(model, List.of(ids), images)) {
            double prefill = seconds(start) - imageSeconds;
            long decoding = System.nanoTime();
            for (int i = 0; i < options.newTokens(); i++) {
                session.decodeStep(new int[] {best(session.logits(0))});
            }
            return new Round(imageSeconds, prefill, seconds(decoding), bandwidth);
        }
    }

    /** Any ids cost the same; the first is the start of a sequence. */
    private static int[] prompt(LlavaModel model, Options options) {
        int vocabulary = model.config().text().vocabSize();
        int[] ids = new int[options.promptTokens() + (options.image() == null ? 0 : 1)];
        Arrays.setAll(ids, i -> i == 0 ? model.config().text().bosTokenId() : (300 + i * 7919) % vocabulary);
        if (options.image() != null) {
            ids[1] = Prompt.IMAGE_TOKEN_INDEX;
        }
        return ids;
    }

    private static int best(float[] logits) {
        int best = 0;
        for (int id = 1; id < logits.length; id++) {
            best = logits[id] > logits[best] ? id : best;
        }
        return best;
    }

    private static void print(PrintWriter out, Options options, LlavaModel model, long weights, List<Round> rounds) {
        int read = options.promptTokens()
                + (options.image() == null ? 0 : model.config().tokensPerImage());
        double prefill = Median.of(rounds.stream().map(Round::prefillSeconds).toList());
        double decode = Median.of(rounds.stream().map(Round::decodeSeconds).toList());
        double bandwidth = Median.of(rounds.stream().map(Round::bandwidth).toList());
        double perSecond = options.newTokens() / decode;
        out.printf(Locale.ROOT, "medians of %d rounds:%n", rounds.size());
        if (options.image() != null) {
            double image = Median.of(rounds.stream().map(Round::imageSeconds).toList());
            out.printf(Locale.ROOT, "  %-28s %8.2f s%n", "vision tower and projector", image);
            out.printf(Locale.ROOT, "  %-28s %8.2f s%n", "time to first token", image + prefill);
        }
        out.printf(Locale.ROOT, "  %-28s %8.1f tokens/s (%d tokens)%n", "prefill", read / prefill, read);
        out.printf(Locale.ROOT, "  %-28s %8.2f tokens/s (%d tokens)%n", "decoding", perSecond, options.newTokens());
        out.printf(Locale.ROOT, "  %-28s %8.1f GB/s%n", "read bandwidth", bandwidth / GIGA);
        out.printf(
                Locale.ROOT,
                "  %-28s %8.0f %% of it (weights alone)%n",
                "used while decoding",
                100 * perSecond * weights / bandwidth);
        out.printf(Locale.ROOT, "  %-28s %8.2f GB%n", "peak resident memory", PeakMemory.bytes() / GIGA);
        out.flush();
    }

    private static double seconds(long start) {
        return (System.nanoTime() - start) / GIGA;
    }
}
