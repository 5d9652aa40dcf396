package io.llava4j.app.bench;

import io.llava4j.generate.LlavaPipeline;
import io.llava4j.generate.schedule.Scheduler;
import io.llava4j.image.RgbImage;
import java.io.PrintWriter;
import java.net.URI;
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
import org.jspecify.annotations.Nullable;

/**
 * Many clients of one model: how fast they are answered together, beside the same load answered one by one and by another
 * server. Each client asks, reads its answer, pauses for an exponentially distributed time and asks again, so that requests
 * arrive at random (approximately as a Poisson process). Every question and every image is asked once, so that no cache helps;
 * at the end each image is asked about twice, where it should.
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
     * @param against a running server of OpenAI's API that is given the same load; null for none
     */
    public record Options(
            List<Integer> clients,
            int requests,
            int newTokens,
            int imageSize,
            @Nullable URI against) {}

    /** Measures a model folder and prints a table. */
    public static void run(PrintWriter out, Path directory, Options options) {
        out.printf(
                "%-8s %-7s %-10s %9s %20s %20s%n",
                "clients", "images", "answered", "tokens/s", "first token p50/p95", "between p50/p95");
        for (boolean images : new boolean[] {false, true}) {
            for (int clients : options.clients()) {
                for (int parallel : clients == 1 ? new int[] {1} : new int[] {1, clients}) {
                    try (Asking model = model(directory, options, parallel)) {
                        row(out, model, options, clients, images, parallel == 1 ? "one by one" : "together");
                    }
                }
                if (options.against() != null) {
                    try (Asking server = Asking.server(options.against(), options.newTokens())) {
                        row(out, server, options, clients, images, "by server");
                    }
                }
            }
        }
        try (Asking model = model(directory, options, 1)) {
            secondQuestion(out, model, options, "model");
        }
        if (options.against() != null) {
            try (Asking server = Asking.server(options.against(), options.newTokens())) {
                secondQuestion(out, server, options, "server");
            }
        }
    }

    private static Asking model(Path directory, Options options, int parallel) {
        Scheduler.Limits limits = new Scheduler.Limits(parallel, QUEUE, 0, 1L << 28, Duration.ZERO);
        return Asking.pipeline(
                LlavaPipeline.open(directory, "cpu", new LlavaPipeline.Settings(null, true, limits)),
                options.newTokens());
    }

    private static void row(
            PrintWriter out, Asking asked, Options options, int clients, boolean images, String answered) {
        ask(asked, options, new Random(-1), -1, images); // warms up
        long start = System.nanoTime();
        ask(asked, options, new Random(-2), -2, images);
        double pause = seconds(start);
        long begin = System.nanoTime();
        Asking.Times times = clients(asked, options, clients, images, pause);
        out.printf(
                Locale.ROOT,
                "%-8d %-7s %-10s %9.1f %8.3f / %6.3f s %8.4f / %6.4f s%n",
                clients,
                images ? "yes" : "no",
                answered,
                times.tokens() / seconds(begin),
                quantile(times.firstToken(), 0.5),
                quantile(times.firstToken(), 0.95),
                quantile(times.betweenTokens(), 0.5),
                quantile(times.betweenTokens(), 0.95));
        out.flush();
    }

    private static Asking.Times clients(Asking asked, Options options, int clients, boolean images, double pause) {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Asking.Times>> running = new ArrayList<>();
            for (int client = 0; client < clients; client++) {
                int number = client;
                running.add(threads.submit(() -> {
                    Random random = new Random(number);
                    List<Asking.Times> parts = new ArrayList<>();
                    for (int i = 0; i < options.requests(); i++) {
                        Thread.sleep((long) (-1000 * pause * Math.log(1 - random.nextDouble())));
                        parts.add(ask(asked, options, random, number * options.requests() + i, images));
                    }
                    return Asking.Times.all(parts);
                }));
            }
            List<Asking.Times> all = new ArrayList<>();
            for (Future<Asking.Times> client : running) {
                all.add(client.get());
            }
            return Asking.Times.all(all);
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException("a client failed", e);
        }
    }

    private static Asking.Times ask(Asking asked, Options options, Random random, int number, boolean image) {
        return asked.ask(
                "Question " + number + ": what is this, and what is it like?",
                image ? NoiseImage.draw(options.imageSize(), random) : null);
    }

    private static void secondQuestion(PrintWriter out, Asking asked, Options options, String name) {
        Random random = new Random(-3);
        List<Double> first = new ArrayList<>();
        List<Double> second = new ArrayList<>();
        for (int i = -1; i < options.requests(); i++) {
            RgbImage image = NoiseImage.draw(options.imageSize(), random);
            Asking.Times about = asked.ask("What is image " + i + "?", image);
            Asking.Times again = asked.ask("Where may one see image " + i + ", and when?", image);
            if (i >= 0) { // the first one warms up
                first.addAll(about.firstToken());
                second.addAll(again.firstToken());
            }
        }
        double whole = quantile(first, 0.5);
        double known = quantile(second, 0.5);
        out.printf(
                Locale.ROOT,
                "second question about an image, %s: first token after %.3f s, %.1f %% of the first question's %.3f s (medians of"
                        + " %d)%n",
                name,
                known,
                100 * known / whole,
                whole,
                first.size());
        out.flush();
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
