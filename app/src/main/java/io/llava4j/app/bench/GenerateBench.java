package io.llava4j.app.bench;

import io.llava4j.checkpoint.ModelParts;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.ModelLoader;
import io.llava4j.generate.Sampler;
import io.llava4j.generate.schedule.ChosenToken;
import io.llava4j.generate.schedule.FinishReason;
import io.llava4j.generate.schedule.Listener;
import io.llava4j.generate.schedule.Scheduler;
import io.llava4j.generate.schedule.Usage;
import io.llava4j.generate.schedule.Work;
import io.llava4j.generate.session.ImagePrompt;
import io.llava4j.image.RgbImage;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.cpu.CpuImageEncoder;
import io.llava4j.model.cpu.CpuLlamaModel;
import io.llava4j.model.cpu.ImageEncoding;
import io.llava4j.tensor.kernel.Kernels;
import io.llava4j.text.Prompt;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
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
     * @param visionTokens image features that VisionZip leaves; 0 for all
     */
    public record Options(
            int promptTokens, int newTokens, @Nullable RgbImage image, int rounds, int visionTokens) {}

    private record Round(double imageSeconds, double prefillSeconds, double tokenSeconds, double bandwidth) {}

    /** Measures a model folder and prints medians. */
    public static void run(PrintWriter out, Path directory, Options options) {
        long start = System.nanoTime();
        ModelParts parts = new ModelParts(null, null, null, options.visionTokens());
        try (LlavaModel model = ModelLoader.load(directory, "cpu", parts).model()) {
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
                Round measured = round(model, options);
                if (round >= 0) {
                    rounds.add(measured);
                }
            }
            print(out, options, model, weights, rounds);
        }
    }

    private static Round round(LlavaModel model, Options options) {
        double bandwidth = bandwidth(model);
        List<PreparedImage> images = new ArrayList<>();
        double imageSeconds = 0;
        if (options.image() != null) {
            PreparedImage image = model.config().imagePreparation().prepare(options.image());
            images.add(image);
            long start = System.nanoTime();
            new ImageEncoding(CpuImageEncoder.of(model), image).advance(Long.MAX_VALUE);
            imageSeconds = seconds(start);
        }
        Usage usage = answer(model, new ImagePrompt(prompt(model, options), images), options.newTokens());
        return new Round(
                imageSeconds,
                usage.firstTokenSeconds() - imageSeconds,
                (usage.seconds() - usage.firstTokenSeconds()) / (usage.answerTokens() - 1),
                bandwidth);
    }

    /** One request alone; the first token of its answer belongs to the prefill. */
    private static Usage answer(LlavaModel model, ImagePrompt prompt, int newTokens) {
        CompletableFuture<Usage> usage = new CompletableFuture<>();
        Listener listener = new Listener() {
            @Override
            public boolean token(ChosenToken token) {
                return true;
            }

            @Override
            public void finished(FinishReason reason, Usage took) {
                usage.complete(took);
            }

            @Override
            public void failed(RuntimeException cause) {
                usage.completeExceptionally(cause);
            }
        };
        GenerationOptions greedy = GenerationOptions.greedy(newTokens + 1);
        try (Scheduler scheduler = new Scheduler(model, Scheduler.Limits.DEFAULT, false)) {
            scheduler.submit(
                    new Work(prompt, greedy.maxNewTokens(), Set.of(), new Sampler(greedy)::sample, null, -1, 0),
                    listener);
            return usage.join();
        }
    }

    /** Bytes per second of a plain read of the weights; 0 on a GPU. */
    private static double bandwidth(LlavaModel model) {
        if (!(model.languageModel() instanceof CpuLlamaModel cpu)) {
            return 0;
        }
        long start = System.nanoTime();
        cpu.readWeights();
        return cpu.bytes() / seconds(start);
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

    private static void print(PrintWriter out, Options options, LlavaModel model, long weights, List<Round> rounds) {
        int read = options.promptTokens()
                + (options.image() == null ? 0 : model.config().tokensPerImage());
        double prefill = Median.of(rounds.stream().map(Round::prefillSeconds).toList());
        double bandwidth = Median.of(rounds.stream().map(Round::bandwidth).toList());
        double perSecond =
                1 / Median.of(rounds.stream().map(Round::tokenSeconds).toList());
        out.printf(Locale.ROOT, "medians of %d rounds:%n", rounds.size());
        if (options.image() != null) {
            double image = Median.of(rounds.stream().map(Round::imageSeconds).toList());
            out.printf(
                    Locale.ROOT, "  %-28s %8d%n", "image tokens", model.config().tokensPerImage());
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
