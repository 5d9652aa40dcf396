package io.llava4j.app.bench;

import io.llava4j.app.serve.LlavaServer;
import io.llava4j.app.serve.ServerOptions;
import io.llava4j.app.serve.http.AccessRules;
import io.llava4j.app.serve.http.ApiKeys;
import io.llava4j.app.serve.request.ImageLimits;
import io.llava4j.app.serve.request.ServedModel;
import io.llava4j.checkpoint.ModelParts;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.generate.schedule.Scheduler;
import io.llava4j.generate.schedule.SchedulerStats;
import io.llava4j.image.ExifOrientation;
import java.io.PrintWriter;
import java.net.InetAddress;
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
 * Loads a server over HTTP for a while, with more clients than it answers or with few for long: every request must be answered or
 * refused, none that was accepted may be lost, and memory must not grow. Server and clients are one process.
 */
public final class LoadBench {
    private static final long CACHE = 64L << 20;
    private static final int SAMPLES = 6;
    private static final int WARM_UP = 8;
    private static final Duration TIMEOUT = Duration.ofMinutes(10);

    private LoadBench() {}

    /**
     * The load.
     *
     * @param clients each asks again when it was answered, or a moment after it was refused
     * @param seconds for which they do
     * @param parallel answers that are decoded together
     * @param queue requests that wait
     * @param newTokens longest answer
     */
    public record Options(int clients, int seconds, int parallel, int queue, int newTokens) {}

    /**
     * How the requests ended.
     *
     * @param answered with 200 and a complete answer
     * @param refused with 429 or 503
     * @param slowestRefusal in seconds
     * @param failures a sentence about each request that ended in any other way
     * @param lost requests that the server accepted, but neither finished nor refused
     */
    public record Result(long answered, long refused, double slowestRefusal, List<String> failures, long lost) {
        /** Whether every request was answered or refused, and none lost. */
        public boolean isClean() {
            return failures.isEmpty() && lost == 0;
        }
    }

    /** Loads a server of a model folder or file, and prints a line now and then. */
    public static Result run(PrintWriter out, Path directory, Options options) {
        Scheduler.Limits limits = new Scheduler.Limits(options.parallel(), options.queue(), 0, CACHE, TIMEOUT);
        ImageLimits images = new ImageLimits(1 << 20, 1, false);
        InetAddress here = InetAddress.getLoopbackAddress();
        ServerOptions server =
                new ServerOptions(here, 0, new AccessRules(ApiKeys.NONE, List.of(), true), images, TIMEOUT);
        try (ServedModel model = new ServedModel(List.of("model"), images, ExifOrientation.IGNORE);
                LlavaServer running = LlavaServer.start(server, model, "load")) {
            model.load(() -> ServedModel.Loaded.open(
                    directory, "cpu", new LlavaPipeline.Settings(null, true, limits), ModelParts.FOUND));
            Result result = load(out, running.port(), options);
            SchedulerStats stats = model.pipeline().stats();
            return new Result(
                    result.answered,
                    result.refused,
                    result.slowestRefusal,
                    result.failures,
                    stats.accepted() - result.answered);
        }
    }

    private static Result load(PrintWriter out, int port, Options options) {
        LoadClient.Counts counts = new LoadClient.Counts();
        try (LoadClient client = new LoadClient(port, options.newTokens(), counts);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < WARM_UP; i++) {
                client.ask(new Random(i), -1, i);
            }
            long end = System.nanoTime() + Duration.ofSeconds(options.seconds()).toNanos();
            List<Future<?>> clients = new ArrayList<>();
            for (int i = 0; i < options.clients(); i++) {
                int number = i;
                clients.add(threads.submit(() -> {
                    client.askUntil(end, number);
                    return null;
                }));
            }
            for (int sample = 1; sample <= SAMPLES; sample++) {
                Thread.sleep(1000L * options.seconds() / SAMPLES);
                print(out, sample * options.seconds() / SAMPLES, counts);
            }
            for (Future<?> each : clients) {
                each.get();
            }
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException("a client failed", e);
        }
        return new Result(counts.answered(), counts.refused(), counts.slowestRefusal(), counts.failures(), 0);
    }

    private static void print(PrintWriter out, int seconds, LoadClient.Counts counts) {
        System.gc(); // what is in use afterwards is alive
        Runtime java = Runtime.getRuntime();
        out.printf(
                Locale.ROOT,
                "%5d s: %,9d answered, %,9d refused, the slowest of this period after %.3f s, %d failed; %,d MB resident, %,d MB of heap alive%n",
                seconds,
                counts.answered(),
                counts.refused(),
                counts.takeSlowestOfPeriod(),
                counts.failures().size(),
                PeakMemory.now() >> 20,
                (java.totalMemory() - java.freeMemory()) >> 20);
        out.flush();
    }
}
