package io.llava4j.app.cli;

import io.llava4j.app.terminal.ProgressLine;
import io.llava4j.io.Shard;
import io.llava4j.train.batch.BatchPlan;
import io.llava4j.train.batch.BatchSummary;
import io.llava4j.train.batch.BatchTask;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

/** {@code llava batch}: answers all records of a file. */
@Command(
        name = "batch",
        description = "Answer all questions of a file. An interrupted run resumes when started again.",
        footer = {
            "",
            "llava batch questions.jsonl --images DIR -o answers.jsonl",
            "    answers a file of questions; docs/batch.md shows the formats.",
            "llava batch questions.jsonl --images DIR -o answers.jsonl --shards 8 --shard 3",
            "    answers the third of eight shards; with the files of all shards in one folder, the same command without",
            "    these options joins them."
        })
final class BatchCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Mixin
    private BatchOptions options = new BatchOptions();

    @Option(names = "--shards", paramLabel = "N", description = "Number of shards that the records are split into.")
    private @Nullable Integer shards;

    @Option(
            names = "--shard",
            paramLabel = "I",
            description = "Answer only this shard, from 1 to the number of --shards; I/N says both.")
    private @Nullable String shard;

    @Option(
            names = "--max-failures",
            paramLabel = "N",
            description =
                    "Succeed with up to N failed records, and stop after more; by default all records are tried, and one failed"
                            + " record makes the exit code 1.")
    private @Nullable Integer maxFailures;

    @Option(names = "--dry-run", description = "Only count what there is to do; the model is not loaded.")
    private boolean dryRun;

    @Option(names = "--json", description = "Print the result as one JSON document.")
    private boolean json;

    private BatchCommand() {}

    @Override
    public Integer call() {
        if (maxFailures != null && maxFailures < 0) {
            throw new ParameterException(spec.commandLine(), "--max-failures must be 0 or more, not " + maxFailures);
        }
        Shard part = part();
        try (BatchTask task = options.open(spec, maxFailures == null ? -1 : maxFailures, options.retriesFailed())) {
            if (dryRun) {
                print(task.plan(part));
                return CommandLine.ExitCode.OK;
            }
            BatchSummary summary;
            try (ProgressLine progress = ProgressLine.onStderr("answers", "records")) {
                summary = task.run(
                        part,
                        (done, total, failed) ->
                                progress.update(done, total, failed == 0 ? "" : "%,d failed".formatted(failed)));
            }
            print(summary);
            return summary.complete() && summary.failed() <= (maxFailures == null ? 0 : maxFailures)
                    ? CommandLine.ExitCode.OK
                    : CommandLine.ExitCode.SOFTWARE;
        }
    }

    private @Nullable Shard part() {
        if (shard == null) {
            if (shards != null) {
                throw new ParameterException(
                        spec.commandLine(), "--shards %d needs --shard, from 1 to %d".formatted(shards, shards));
            }
            return null;
        }
        if (shards == null || shard.contains("/")) {
            Shard named = Shard.parse(shard);
            if (shards != null && shards != named.count()) {
                throw new ParameterException(
                        spec.commandLine(),
                        "--shard %s and --shards %d contradict each other".formatted(shard, shards));
            }
            return named;
        }
        return Shard.parse(shard + "/" + shards);
    }

    private void print(BatchPlan plan) {
        if (!json) {
            out(String.format(
                    Locale.ROOT,
                    "%s: %,d records, %,d of them unusable; %,d answered already, %,d to do for %s",
                    plan.input(),
                    plan.records(),
                    plan.unusable(),
                    plan.earlier(),
                    plan.open(),
                    plan.output()));
            warn(
                    plan.problems(),
                    plan.unusable(),
                    "%,d of %,d records are unusable".formatted(plan.unusable(), plan.records()));
            return;
        }
        out(JsonMapper.builder().build().writeValueAsString(plan));
    }

    private void print(BatchSummary summary) {
        if (json) {
            out(JsonMapper.builder().build().writeValueAsString(summary));
        } else {
            out(String.format(
                    Locale.ROOT,
                    "%s: %,d records, %,d answered, %,d failed%s; %.1f s, %.2f records/s, %,d prompt tokens (%,d of images), %,d answer tokens",
                    summary.output(),
                    summary.records(),
                    summary.answered(),
                    summary.failed(),
                    summary.earlier() == 0
                            ? ""
                            : String.format(Locale.ROOT, " (%,d by earlier runs)", summary.earlier()),
                    summary.seconds(),
                    summary.recordsPerSecond(),
                    summary.promptTokens(),
                    summary.imageTokens(),
                    summary.answerTokens()));
        }
        warn(
                summary.failures(),
                summary.failed(),
                "%,d of %,d records failed".formatted(summary.failed(), summary.records()));
        if (summary.truncated() > 0) {
            err("llava: warning: %,d answers were truncated by the limit of new tokens or the model's context"
                    .formatted(summary.truncated()));
        }
        if (!summary.complete()) {
            err(
                    ("llava: stopped after more failures than --max-failures allows; %s is not written yet. Mend the records, then run"
                                    + " the same command with --retry-failed, or with a higher limit")
                            .formatted(summary.output()));
        }
    }

    private void warn(List<String> sentences, int count, String what) {
        if (count > 0) {
            err("llava: warning: " + what + ":");
            sentences.forEach(sentence -> err("  " + sentence));
            if (count > sentences.size()) {
                err("  and %,d more".formatted(count - sentences.size()));
            }
        }
    }

    private void out(String line) {
        PrintWriter out = spec.commandLine().getOut();
        out.println(line);
        out.flush();
    }

    private void err(String line) {
        PrintWriter err = spec.commandLine().getErr();
        err.println(line);
        err.flush();
    }
}
