package io.llava4j.app.bench;

import io.llava4j.eval.Benchmark;
import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.run.CustomBenchmark;
import io.llava4j.eval.run.EvalRunner;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.generate.ModelLoader;
import io.llava4j.generate.schedule.SchedulerStats;
import io.llava4j.image.ImageDecoder;
import io.llava4j.nano.benchmark.NanoBenchmarkFiles;
import io.llava4j.nano.benchmark.NanoBenchmarkOptions;
import io.llava4j.tensor.Engine;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Speed of answering benchmarks in three ways, whose answers must be identical. */
public final class EvalBench {
    private enum Way {
        ONE_BY_ONE("one by one"),
        BATCHED("batched"),
        SHARED("batched, shared prefill");

        private final String title;

        Way(String title) {
            this.title = title;
        }
    }

    private EvalBench() {}

    /**
     * Measures and prints medians.
     *
     * @param out the table
     * @param model folder
     * @param data a folder for each benchmark; null for nano benchmarks in a temporary folder
     * @param tasks names of benchmarks
     * @param limit questions of each
     * @param batchSize questions at once
     * @param rounds in which the ways take turns, after one on few questions that warms up
     * @return whether all answers were identical
     */
    public static boolean run(
            PrintWriter out,
            Path model,
            @Nullable Path data,
            List<String> tasks,
            int limit,
            int batchSize,
            int rounds) {
        if (data != null) {
            return measure(out, model, data, tasks, limit, batchSize, rounds);
        }
        Path work = temporary();
        try {
            Path benchmarks = work.resolve(NanoBenchmarkFiles.FOLDER);
            NanoBenchmarkFiles.write(
                    benchmarks,
                    NanoBenchmarkOptions.DEFAULT,
                    Runtime.getRuntime().availableProcessors(),
                    (done, total) -> {});
            return measure(out, model, benchmarks, tasks, limit, batchSize, rounds);
        } finally {
            delete(work);
        }
    }

    private static boolean measure(
            PrintWriter out, Path model, Path data, List<String> tasks, int limit, int batchSize, int rounds) {
        boolean identical = true;
        ModelLoader.Loaded loaded = ModelLoader.load(model, "cpu");
        LlavaPipeline plain =
                new LlavaPipeline(loaded.model(), loaded.tokenizer().get(), new LlavaPipeline.Settings(null, false));
        try (LlavaPipeline shared =
                new LlavaPipeline(loaded.model(), loaded.tokenizer().get())) {
            out.printf("%s; batches of %d; medians of %d rounds%n", Engine.describe(), batchSize, rounds);
            out.printf(
                    "%-14s %-26s %10s %12s %8s  %s%n",
                    "benchmark", "way", "questions", "questions/s", "ratio", "answers");
            for (String name : tasks) {
                Benchmark task = Benchmarks.named(name);
                Path folder = Files.isDirectory(data.resolve(name)) ? data.resolve(name) : data;
                List<Question> all = task.questions(folder);
                List<Question> questions = all.subList(0, Math.min(limit, all.size()));
                Map<Way, List<Double>> seconds = new EnumMap<>(Way.class);
                Map<Way, List<String>> answers = new EnumMap<>(Way.class);
                for (int round = -1; round < rounds; round++) {
                    List<Question> asked = round < 0 ? questions.subList(0, Math.min(40, questions.size())) : questions;
                    for (Way way : Way.values()) {
                        Work work = ask(
                                task,
                                folder,
                                asked,
                                way == Way.SHARED ? shared : plain,
                                way == Way.ONE_BY_ONE ? 1 : batchSize);
                        if (round >= 0) {
                            seconds.computeIfAbsent(way, w -> new ArrayList<>()).add(work.seconds());
                            answers.put(way, work.answers());
                        }
                    }
                }
                double base = Median.of(seconds.getOrDefault(Way.ONE_BY_ONE, List.of()));
                for (Way way : Way.values()) {
                    boolean same = answers.getOrDefault(way, List.of())
                            .equals(answers.getOrDefault(Way.ONE_BY_ONE, List.of()));
                    identical &= same;
                    double time = Median.of(seconds.getOrDefault(way, List.of()));
                    out.printf(
                            Locale.ROOT,
                            "%-14s %-26s %10d %12.1f %7.2fx  %s%n",
                            name,
                            way.title,
                            questions.size(),
                            questions.size() / time,
                            base / time,
                            same ? "identical" : "DIFFERENT");
                }
            }
            for (LlavaPipeline pipeline : List.of(plain, shared)) {
                SchedulerStats stats = pipeline.stats();
                out.printf(
                        "%s: %d of %d prompt tokens read, %d images encoded%n",
                        pipeline == plain ? "without shared prefill" : Way.SHARED.title,
                        stats.promptTokens() - stats.cachedTokens(),
                        stats.promptTokens(),
                        stats.encodedImages());
            }
            out.flush();
        }
        return identical;
    }

    private record Work(double seconds, List<String> answers) {}

    private static Work ask(
            Benchmark task, Path folder, List<Question> questions, LlavaPipeline pipeline, int batchSize) {
        Path work = temporary();
        try {
            EvalRunner.Job job = new EvalRunner.Job(
                    questions,
                    task.images(folder, work.resolve("images")),
                    work.resolve("answers.jsonl"),
                    CustomBenchmark.decoding(task, folder),
                    batchSize,
                    false);
            long start = System.nanoTime();
            List<Answer> answers =
                    new EvalRunner(pipeline, "bench", ImageDecoder::decode).run(job, (done, total) -> {});
            double seconds = (System.nanoTime() - start) / 1e9;
            return new Work(seconds, answers.stream().map(Answer::text).toList());
        } finally {
            delete(work);
        }
    }

    private static Path temporary() {
        try {
            return Files.createTempDirectory("llava-bench");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void delete(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
