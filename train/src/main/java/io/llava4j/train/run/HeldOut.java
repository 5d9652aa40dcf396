package io.llava4j.train.run;

import io.llava4j.train.config.Default;
import io.llava4j.train.config.Require;
import io.llava4j.train.run.input.RunInputs;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Records that a run does not train on, to see while it trains how well it does on new ones. Draws nothing at random. */
public interface HeldOut extends AutoCloseable {
    /**
     * Evaluation on held-out records before the first step, during the run and after the last step.
     *
     * @param data the held-out records, in any format of {@code data.json}; read with the other settings of {@code data}
     * @param images folder of their images; {@code data.images} without it
     * @param everySteps steps from one evaluation to the next
     * @param keepBest whether the model of the smallest held-out loss is kept, in {@code best/} of the run's folder
     * @param earlyStop ends the run when the held-out loss no longer falls; no early end without this section
     * @param tasks benchmarks that the model is scored on at each evaluation, by their names in {@code llava eval}
     * @param taskData folder with a folder for each of these benchmarks, or the folder of the only one
     * @param taskLimit the first questions of each benchmark that are asked; all without this key
     * @param bestBy what {@code keep-best} and {@code early-stop} go by: {@code loss}, or a benchmark of {@code tasks},
     *     whose score is to rise; the loss without this key
     * @param samples number of records, the first of the data, whose first question is answered at each evaluation and
     *     written to {@code samples.jsonl}
     * @param maxNewTokens longest of these answers, in tokens
     */
    record Config(
            Path data,
            @Nullable Path images,
            @Default("100") int everySteps,
            @Default("false") boolean keepBest,
            @Nullable EarlyStop earlyStop,
            @Default("[]") List<String> tasks,
            @Nullable Path taskData,
            @Nullable Integer taskLimit,
            @Nullable String bestBy,
            @Default("0") int samples,
            @Default("64") int maxNewTokens) {
        private static final String LOSS = "loss";

        public Config {
            Require.positive("every-steps", everySteps);
            checkTasks(tasks, taskData, taskLimit);
            Require.that(
                    bestBy == null || bestBy.equals(LOSS) || tasks.contains(bestBy),
                    "best-by must be loss or a benchmark of tasks, not '%s'".formatted(bestBy));
            Require.atLeast("samples", samples, 0);
            Require.positive("max-new-tokens", maxNewTokens);
        }

        private static void checkTasks(List<String> tasks, @Nullable Path taskData, @Nullable Integer taskLimit) {
            tasks.forEach(task -> Require.that(
                    Collections.frequency(tasks, task) == 1, "tasks names '%s' twice; remove one".formatted(task)));
            Require.that(
                    tasks.isEmpty() || taskData != null,
                    "task-data is missing; name the folder with a folder for each benchmark of tasks");
            Require.that(
                    !tasks.isEmpty() || (taskData == null && taskLimit == null),
                    "%s is set but tasks names no benchmark; set tasks or remove the key"
                            .formatted(taskData == null ? "task-limit" : "task-data"));
            if (taskLimit != null) {
                Require.positive("task-limit", taskLimit);
            }
        }

        /** The benchmark whose score says which model is best; null if the held-out loss does. */
        @Nullable
        String bestTask() {
            return LOSS.equals(bestBy) ? null : bestBy;
        }

        /** What the best model has least of: the loss, or the score with a minus sign. */
        double badness(Loss loss, Map<String, Double> scores) {
            String task = bestTask();
            return task == null ? loss.value() : -Objects.requireNonNull(scores.get(task));
        }

        /** Whether the run ends after this progress. */
        boolean ends(RunProgress.Evaluations done) {
            return earlyStop != null && done.withoutImprovement() >= earlyStop.patience();
        }

        /** How much less loss, or more score, counts as an improvement. */
        double minDelta() {
            return earlyStop == null ? 0 : earlyStop.minDelta();
        }
    }

    /**
     * When a run ends early.
     *
     * @param patience evaluations in a row without an improvement that end the run
     * @param minDelta how much the held-out loss must fall below the last improvement to count as one, or the score
     *     of {@code best-by} rise above it
     */
    record EarlyStop(
            @Default("3") int patience, @Default("0") double minDelta) {
        public EarlyStop {
            Require.positive("patience", patience);
            Require.notNegative("min-delta", minDelta);
        }
    }

    /**
     * A held-out loss.
     *
     * @param value mean cross-entropy over all supervised tokens; each token counts the same
     * @param supervised number of supervised tokens
     * @param records number of records
     */
    record Loss(double value, long supervised, int records) {}

    /**
     * A sample answer, chosen greedily.
     *
     * @param id of the record
     * @param images of the question
     * @param question the record's first
     * @param expected the record's answer
     * @param answer the model's
     */
    record Answer(String id, List<String> images, String question, String expected, String answer) {}

    /** What the recipe says. */
    Config config();

    /**
     * The loss with the parameters as they are now.
     *
     * @param maxBatches number of batches that are computed at most
     */
    Loss loss(int maxBatches);

    /** Scores of {@code tasks} with the parameters as they are now, in the order of the recipe. */
    default Map<String, Double> scores() {
        return Map.of();
    }

    /** Answers with the parameters as they are now. */
    List<Answer> answers();

    /** Sentences for the user before the first step. */
    List<String> notes();

    /** Fingerprints of the data and of the benchmarks' files. */
    RunInputs inputs();

    @Override
    void close();
}
