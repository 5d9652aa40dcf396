package io.llava4j.app.bench;

import io.llava4j.generate.AnswerOptions;
import io.llava4j.generate.ChatRequest;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.generate.RunningAnswer;
import io.llava4j.generate.schedule.Scheduler;
import io.llava4j.image.RgbImage;
import io.llava4j.text.Turn;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Many clients of one model: how fast they are answered together, beside the same load answered one by one. Each client asks,
 * reads its answer, pauses for an exponentially distributed time and asks again, so that requests arrive at random
 * (approximately as a Poisson process). Every question and every image is asked once, so that no cache helps.
 */
public final class ServeBench {
    private static final int QUEUE = 1000;

    private ServeBench() {}

    /**
     * What is measured.
     *
     * @param clients numbers of clients
     * @param requests of each client
     * @param newTokens longest answer
     * @param imageSize edge of the images in pixels
     */
    public record Options(List<Integer> clients, int requests, int newTokens, int imageSize) {}

    /** What one client saw, in seconds. */
    private record Seen(List<Double> firstToken, List<Double> betweenTokens, int tokens) {
        static Seen all(List<Seen> parts) {
            List<Double> first = new ArrayList<>();
            List<Double> between = new ArrayList<>();
            int tokens = 0;
            for (Seen part : parts) {
                first.addAll(part.firstToken);
                between.addAll(part.betweenTokens);
                tokens += part.tokens;
            }
            return new Seen(first, between, tokens);
        }
    }

    /** Measures a model folder and prints a table. */
    public static void run(PrintWriter out, Path directory, Options options) {
        out.printf(
                "%-8s %-7s %-10s %9s %20s %20s%n",
                "clients", "images", "answered", "tokens/s", "first token p50/p95", "between p50/p95");
        for (boolean images : new boolean[] {false, true}) {
            for (int clients : options.clients()) {
                for (int parallel : clients == 1 ? new int[] {1} : new int[] {1, clients}) {
                    row(out, directory, options, clients, parallel, images);
                }
            }
        }
    }

    private static void row(
            PrintWriter out, Path directory, Options options, int clients, int parallel, boolean images) {
        Scheduler.Limits limits = new Scheduler.Limits(parallel, QUEUE, 0, 1L << 28, Duration.ZERO);
        try (LlavaPipeline pipeline =
                LlavaPipeline.open(directory, "cpu", new LlavaPipeline.Settings(null, true, limits))) {
            ask(pipeline, options, new Random(-1), -1, images); // warms up
            long start = System.nanoTime();
            ask(pipeline, options, new Random(-2), -2, images);
            double pause = seconds(start);
            long begin = System.nanoTime();
            Seen seen = clients(pipeline, options, clients, images, pause);
            double wall = seconds(begin);
            out.printf(
                    Locale.ROOT,
                    "%-8d %-7s %-10s %9.1f %8.3f / %6.3f s %8.4f / %6.4f s%n",
                    clients,
                    images ? "yes" : "no",
                    parallel == 1 ? "one by one" : "together",
                    seen.tokens / wall,
                    quantile(seen.firstToken, 0.5),
                    quantile(seen.firstToken, 0.95),
                    quantile(seen.betweenTokens, 0.5),
                    quantile(seen.betweenTokens, 0.95));
            out.flush();
        }
    }

    private static Seen clients(LlavaPipeline pipeline, Options options, int clients, boolean images, double pause) {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Seen>> running = new ArrayList<>();
            for (int client = 0; client < clients; client++) {
                int number = client;
                running.add(threads.submit(() -> {
                    Random random = new Random(number);
                    List<Seen> parts = new ArrayList<>();
                    for (int i = 0; i < options.requests(); i++) {
                        Thread.sleep((long) (-1000 * pause * Math.log(1 - random.nextDouble())));
                        parts.add(ask(pipeline, options, random, number * options.requests() + i, images));
                    }
                    return Seen.all(parts);
                }));
            }
            List<Seen> all = new ArrayList<>();
            for (Future<Seen> client : running) {
                all.add(client.get());
            }
            return Seen.all(all);
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException("a client failed", e);
        }
    }

    private static Seen ask(LlavaPipeline pipeline, Options options, Random random, int number, boolean image) {
        List<RgbImage> images = image ? List.of(noise(options.imageSize(), random)) : List.of();
        String question = "Question " + number + ": what is this, and what is it like?";
        ChatRequest request = new ChatRequest(
                List.of(Turn.human(image ? Turn.IMAGE_PLACEHOLDER + "\n" + question : question)), images);
        List<Double> first = new ArrayList<>();
        List<Double> between = new ArrayList<>();
        int tokens = 0;
        long last = System.nanoTime();
        try (RunningAnswer answer =
                pipeline.start(request, AnswerOptions.of(GenerationOptions.greedy(options.newTokens())))) {
            for (RunningAnswer.Piece piece = answer.next(); piece != null; piece = answer.next()) {
                if (piece.token() != null) {
                    (tokens == 0 ? first : between).add(seconds(last));
                    last = System.nanoTime();
                    tokens++;
                }
            }
        }
        return new Seen(first, between, tokens);
    }

    private static RgbImage noise(int size, Random random) {
        byte[] pixels = new byte[3 * size * size];
        random.nextBytes(pixels);
        return new RgbImage(size, size, pixels);
    }

    private static double quantile(List<Double> values, double share) {
        if (values.isEmpty()) {
            return Double.NaN;
        }
        List<Double> sorted = values.stream().sorted().toList();
        return sorted.get((int) Math.min(sorted.size() - 1L, Math.round(share * (sorted.size() - 1))));
    }

    private static double seconds(long start) {
        return (System.nanoTime() - start) / 1e9;
    }
}
