package io.llava4j.train.run;

import io.llava4j.LlavaException;
import io.llava4j.io.AtomicFiles;
import io.llava4j.io.FileErrors;
import io.llava4j.train.config.Default;
import io.llava4j.train.config.Require;
import io.llava4j.train.config.Retired;
import io.llava4j.train.data.LlavaData;
import io.llava4j.train.data.SkippedRecord;
import io.llava4j.train.run.log.Environment;
import io.llava4j.train.run.log.EventFile;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The files a run keeps about itself: {@code metrics.jsonl}, TensorBoard events, {@code env.json}, {@code skipped.jsonl}
 * and {@code result.json}. */
public final class RunFiles implements TrainingListener, AutoCloseable {
    /**
     * When metrics are written.
     *
     * @param everySteps steps from one line of {@code metrics.jsonl} to the next
     * @param peakTflops highest speed of a process's device in 10^12 operations a second, in the run's precision and by its
     *     maker's data sheet; metrics then have {@code mfu}, the share of it that the run reaches
     */
    @Retired(key = "samples-every-steps", only = "0")
    public record Config(
            @Default("1") int everySteps, @Nullable Double peakTflops) {
        public Config {
            Require.positive("every-steps", everySteps);
            if (peakTflops != null) {
                Require.positive("peak-tflops", peakTflops);
            }
        }
    }

    private static final String METRICS = "metrics.jsonl";
    private static final String RESULT = "result.json";
    private static final String EVALUATION_LOSS = "evaluation_loss";
    private static final String EVALUATION_SCORES = "evaluation_scores";
    private static final String SAMPLES = "samples.jsonl";
    private static final String SKIPPED = "skipped.jsonl";
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Path directory;
    private final Config config;
    private final Supplier<List<SkippedRecord>> leftOut;
    private final Set<String> listed = new LinkedHashSet<>();
    private final List<String> samples = new ArrayList<>();
    private int known;
    private @Nullable BufferedWriter metrics;
    private @Nullable EventFile events;

    /** @param leftOut gives every record that was left out so far */
    RunFiles(Path directory, Config config, Supplier<List<SkippedRecord>> leftOut) {
        this.directory = directory;
        this.config = config;
        this.leftOut = leftOut;
    }

    /** Keeps the lines of steps that a resumed run does not repeat, and the list of records that were left out in them. */
    @Override
    public void begin(int firstStep, int steps) {
        Path file = directory.resolve(METRICS);
        try {
            List<String> kept = kept(file, firstStep);
            AtomicFiles.write(file, text(kept));
            metrics = Files.newBufferedWriter(file, StandardOpenOption.APPEND);
            events = events(kept);
            AtomicFiles.write(directory.resolve("env.json"), JSON.writeValueAsBytes(Environment.describe()));
            samples.addAll(kept(directory.resolve(SAMPLES), firstStep));
            if (samples.isEmpty()) {
                Files.deleteIfExists(directory.resolve(SAMPLES));
            }
            Path skipped = directory.resolve(SKIPPED);
            if (firstStep > 0 && Files.exists(skipped)) {
                listed.addAll(Files.readAllLines(skipped));
            } else {
                Files.deleteIfExists(skipped);
            }
        } catch (IOException e) {
            throw unwritable(file, e);
        }
        listSkipped();
    }

    /** The lines of steps that are not repeated. */
    private static List<String> kept(Path file, int firstStep) throws IOException {
        List<String> kept = new ArrayList<>();
        if (firstStep > 0 && Files.exists(file)) {
            for (String line : Files.readAllLines(file)) {
                if (stepOf(line) <= firstStep) {
                    kept.add(line);
                }
            }
        }
        return kept;
    }

    private static byte[] text(Collection<String> lines) {
        return (lines.isEmpty() ? "" : String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8);
    }

    /** A TensorBoard file that starts with the kept steps. */
    private EventFile events(List<String> kept) throws IOException {
        EventFile file = new EventFile(directory.resolve("tb/events.out.tfevents.0.llava4j"), now());
        for (String line : kept) {
            JsonNode step = JSON.readTree(line);
            file.scalars(
                    step.path("time").asDouble(0),
                    step.path("step").asLong(),
                    step.has(EVALUATION_LOSS)
                            ? Scalars.ofEvaluation(
                                    step.path(EVALUATION_LOSS).asDouble(Double.NaN),
                                    Scalars.byName(step.path(EVALUATION_SCORES)))
                            : Scalars.ofStep(step));
        }
        return file;
    }

    private static double now() {
        return System.currentTimeMillis() / 1e3;
    }

    /** A line that a killed process did not finish counts as never written. */
    private static long stepOf(String line) {
        try {
            return JSON.readTree(line).path("step").asLong(Long.MAX_VALUE);
        } catch (JacksonException e) {
            return Long.MAX_VALUE;
        }
    }

    @Override
    public void step(Step step) {
        listSkipped();
        if (step.step() % config.everySteps() != 0 && step.step() != step.steps()) {
            return;
        }
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("step", step.step());
        line.put("loss", Double.isNaN(step.loss()) ? null : step.loss());
        line.put("learning_rate", step.learningRate());
        line.put("grad_norm", step.gradientNorm());
        line.put("samples", step.samples());
        line.put("tokens", step.tokens());
        line.put("supervised_tokens", step.supervisedTokens());
        Map<String, Double> bySource = new LinkedHashMap<>();
        step.bySource().forEach((source, loss) -> bySource.put(source, loss.mean()));
        if (!bySource.isEmpty()) {
            line.put(Scalars.LOSS_BY_SOURCE, bySource);
        }
        if (step.truncation().samples() > 0) {
            line.put("cut_samples", step.truncation().samples());
            line.put("cut_tokens", step.truncation().tokens());
        }
        if (step.images().images() > 0) {
            line.put("images", step.images().images());
        }
        if (step.images().cached() > 0) {
            line.put("cached_images", step.images().cached());
        }
        if (step.images().damaged() > 0) {
            line.put("damaged_cache_files", step.images().damaged());
        }
        line.put("seconds", step.seconds());
        double speed = step.tokens() / step.seconds();
        line.put(Scalars.TOKENS_PER_SECOND, speed);
        if (step.operations() > 0) {
            line.put(Scalars.TERAFLOPS, step.teraflops());
        }
        if (step.mfu() != null) {
            line.put(Scalars.MFU, step.mfu());
        }
        line.put("time", now());
        write(line, Scalars.ofStep(JSON.valueToTree(line)));
    }

    @Override
    public void evaluation(Evaluation evaluation) {
        HeldOut.Loss loss = evaluation.loss();
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("step", evaluation.step());
        line.put(EVALUATION_LOSS, Double.isFinite(loss.value()) ? loss.value() : null);
        line.put("evaluation_records", loss.records());
        line.put("evaluation_tokens", loss.supervised());
        if (!evaluation.scores().isEmpty()) {
            line.put(EVALUATION_SCORES, evaluation.scores());
        }
        line.put("best", evaluation.best());
        line.put("seconds", evaluation.seconds());
        line.put("time", now());
        write(line, Scalars.ofEvaluation(loss.value(), evaluation.scores()));
        for (HeldOut.Answer answer : evaluation.answers()) {
            Map<String, Object> sample = new LinkedHashMap<>();
            sample.put("step", evaluation.step());
            sample.put("id", answer.id());
            sample.put("images", answer.images());
            sample.put("question", answer.question());
            sample.put("expected", answer.expected());
            sample.put("answer", answer.answer());
            samples.add(JSON.writeValueAsString(sample));
        }
        if (!evaluation.answers().isEmpty()) {
            AtomicFiles.write(directory.resolve(SAMPLES), text(samples));
        }
    }

    private void write(Map<String, Object> line, Map<String, Double> scalars) {
        BufferedWriter out = metrics;
        EventFile board = events;
        if (out == null || board == null) {
            return;
        }
        try {
            out.write(JSON.writeValueAsString(line));
            out.newLine();
            out.flush();
            board.scalars(now(), ((Number) Objects.requireNonNull(line.get("step"))).longValue(), scalars);
        } catch (IOException e) {
            throw unwritable(directory.resolve(METRICS), e);
        }
    }

    /** Lists the records that were left out, each once; no file where there were none. */
    private void listSkipped() {
        List<SkippedRecord> records = leftOut.get();
        if (records.size() == known) {
            return;
        }
        for (SkippedRecord record : records.subList(known, records.size())) {
            listed.add(JSON.writeValueAsString(record));
        }
        known = records.size();
        AtomicFiles.write(directory.resolve(SKIPPED), text(listed));
    }

    @Override
    public void skippedElsewhere(List<SkippedRecord> records) {
        records.forEach(record -> listed.add(JSON.writeValueAsString(record)));
        if (!records.isEmpty()) {
            AtomicFiles.write(directory.resolve(SKIPPED), text(listed));
        }
    }

    /** A sentence about the records that were left out in all of the run; empty if there were none. */
    Optional<String> leftOut() {
        return listed.stream()
                .findFirst()
                .map(first -> "%d records were left out; the first: %s; %s lists them"
                        .formatted(
                                listed.size(),
                                JSON.readValue(first, SkippedRecord.class).message(),
                                directory.resolve(SKIPPED)));
    }

    /**
     * Writes what came out of a finished run.
     *
     * @param dataSets several sets; empty if there is one
     * @param bestTask the benchmark that the best model is chosen by; null for the held-out loss
     */
    void result(RunProgress progress, List<LlavaData.Part> dataSets, @Nullable String bestTask) {
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("steps", progress.step());
        result.put("samples", progress.samples());
        result.put("left_out_records", listed.size());
        result.put("cut_samples", progress.truncation().samples());
        result.put("cut_tokens", progress.truncation().tokens());
        if (progress.evaluations().bestStep() > 0) {
            result.put("best_step", progress.evaluations().bestStep());
            if (bestTask == null) {
                result.put("best_evaluation_loss", progress.evaluations().best());
            } else {
                result.put(
                        "best_evaluation_scores",
                        Map.of(bestTask, -progress.evaluations().best()));
            }
        }
        if (!dataSets.isEmpty()) {
            Map<String, Object> sets = new LinkedHashMap<>();
            dataSets.forEach(set -> sets.put(set.name(), set.counts()));
            result.put("data_sets", sets);
        }
        AtomicFiles.write(directory.resolve(RESULT), JSON.writeValueAsBytes(result));
    }

    /** Steps of a finished run; of one by an earlier version, as far as its metrics show them. */
    static long stepsOf(Path directory) {
        Path result = directory.resolve(RESULT);
        try {
            if (Files.exists(result)) {
                return JSON.readTree(Files.readString(result)).path("steps").asLong(0);
            }
            List<String> lines = Files.readAllLines(directory.resolve(METRICS));
            return lines.isEmpty() ? 0 : stepOf(lines.getLast());
        } catch (IOException e) {
            throw FileErrors.cannotRead(result, e);
        }
    }

    private static LlavaException unwritable(Path file, IOException cause) {
        return new LlavaException(file + " cannot be written; check permissions and free space", cause);
    }

    @Override
    public void close() {
        if (metrics != null) {
            try {
                metrics.close();
                if (events != null) {
                    events.close();
                }
            } catch (IOException e) {
                throw unwritable(directory.resolve(METRICS), e);
            }
        }
    }
}
