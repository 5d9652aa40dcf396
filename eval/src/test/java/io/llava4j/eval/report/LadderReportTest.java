package io.llava4j.eval.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.eval.Benchmarks;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LadderReportTest {
    private static final int QUESTIONS = 200;

    /** Right answers by seed; a gain at each of three seeds, a gain at two of them, none. */
    @Test
    void aStepIsBetterOnlyIfEverySeedAgrees() {
        LadderStep base = step("base", "", 100, 100, 100);
        LadderReport report = report(
                base,
                step("better", "base", 130, 125, 140),
                step("luck", "base", 190, 180, 98),
                step("same", "base", 101, 99, 100));

        assertThat(column(report.differences(), "Verdict")).containsExactly("better", "noise", "noise");
        assertThat(column(report.differences(), "against")).containsOnly("base");
        // (30 + 25 + 40) / 3 of 200 questions
        assertThat(column(report.differences(), "All, 95 %").getFirst()).startsWith("+15.8 (");
        assertThat(column(
                        report(step("up", "", 130, 130, 130), step("down", "up", 100, 100, 100))
                                .differences(),
                        "Verdict"))
                .containsExactly("worse");
    }

    @Test
    void theOverviewHasMeansAndTheirSpreadOverSeeds() {
        LadderReport report = report(step("base", "", 100, 110, 90));

        // Percent, with the standard deviation of 50, 55 and 45.
        assertThat(column(report.overview(), Benchmarks.GQA.title())).containsExactly("50.0 ± 5.0");
        assertThat(column(report.overview(), "Mean, 95 %").getFirst()).startsWith("50.0 (");
        assertThat(column(report.overview(), "Training")).containsExactly("1 min 30 s");
        assertThat(report.differences().rows()).isEmpty();
    }

    @Test
    void theClaimIsNotTakenForAResult() {
        LadderReport report =
                new LadderReport("A ladder", "More is better.", List.of(1L), List.of(step("base", "", 100)));

        assertThat(report.markdown()).startsWith("# A ladder\n\nTo be tested: More is better.\n\n");
        assertThat(report(step("base", "", 100)).markdown()).startsWith("# A ladder\n\n| Step |");
    }

    @Test
    void whatIsMissingIsSaid(@TempDir Path folder) throws IOException {
        LadderStep one = step("base", "", 100);
        LadderReport report = new LadderReport("A ladder", "", List.of(1L, 2L, 3L), List.of(one));
        report.write(folder);

        assertThat(report.text()).contains("unfinished: not every step has been run with all 3 seeds");
        assertThat(folder.resolve(LadderReport.PAGE)).content().contains("unfinished", "<svg", "A ladder");
        assertThat(folder.resolve("ladder.json")).content().contains("\"seeds\" : [ 1, 2, 3 ]");
        assertThat(new LadderReport("Two", "", List.of(1L), List.of(one)).text())
                .contains("1 seed: the intervals know little");
    }

    private static LadderReport report(LadderStep... steps) {
        return new LadderReport("A ladder", "", List.of(1L, 2L, 3L), List.of(steps));
    }

    /** The first questions are right: as many as given for each seed. */
    private static LadderStep step(String name, String against, int... right) {
        Map<Long, RunResults> runs = new LinkedHashMap<>();
        for (int i = 0; i < right.length; i++) {
            int its = right[i];
            runs.put(i + 1L, run(question -> question < its, its));
        }
        List<Double> seconds =
                LongStream.range(0, right.length).mapToObj(i -> 90.0).toList();
        return new LadderStep(name, against, "", Map.of("finetune.seed", "1"), runs, seconds);
    }

    private static RunResults run(IntPredicate isRight, int right) {
        Map<String, Double> credits = new LinkedHashMap<>();
        for (int question = 0; question < QUESTIONS; question++) {
            credits.put("q" + question, isRight.test(question) ? 1.0 : 0.0);
        }
        TaskResult task = new TaskResult(
                Benchmarks.GQA,
                "accuracy",
                Map.of("accuracy", (double) right / QUESTIONS * 100 / Benchmarks.GQA.publishedScale()),
                QUESTIONS,
                "",
                List.of(),
                credits);
        return new RunResults("m", false, 0, "", List.of(task));
    }

    private static List<String> column(ResultTable table, String name) {
        int column = table.header().indexOf(name);
        assertThat(column).isNotNegative();
        return table.rows().stream().map(row -> row.get(column)).toList();
    }
}
