package io.llava4j.eval.reference;

import io.llava4j.DataException;
import io.llava4j.eval.choice.MmBench;
import io.llava4j.eval.choice.MmBenchQuestions;
import io.llava4j.eval.choice.MmBenchScore;
import io.llava4j.eval.choice.MmBenchTable;
import io.llava4j.eval.choice.OptionMatching;
import io.llava4j.eval.format.JsonFiles;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.FileRole;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** What VLMEvalKit, lmms-eval and LLaVA's converter give for a folder. */
final class MmBenchReference {
    private static final int LOG_SHOWN = 40;

    private MmBenchReference() {}

    /** Hits with and without a judge, reports, every row by three rules, the options asked, the upload. */
    static void compare(BenchmarkFiles files, Path folder, JsonNode expected, Checks checks) {
        Path answers = folder.resolve("answers.jsonl");
        Path file = files.require(FileRole.ANNOTATIONS);
        MmBenchTable table = MmBenchTable.read(file);
        MmBench.Predictions predictions = MmBench.predictions(answers);
        List<MmBenchScore.Row> rows = MmBench.rows(files, predictions, answers);
        outcome("vlmevalkit_head_exact_matching", rows, null, expected, checks);
        outcome(
                "vlmevalkit_head_with_judge_replies",
                rows,
                MmBench.replies(folder.resolve("judge_replies.jsonl")),
                expected,
                checks);
        MmBenchScore lmms = MmBenchScore.of(rows, OptionMatching.LMMS_EVAL, null);
        JsonNode wanted = expected.get("lmms_eval_undecided_is_miss");
        checks.same("lmms_eval/hit", hits(lmms), wanted.get("hit"));
        checks.same("lmms_eval/overall", lmms.overall(), wanted.get("overall"));
        perRow(rows, expected, checks);
        Map<String, Object> options = new LinkedHashMap<>();
        table.by("index", file)
                .forEach(
                        (index, row) -> options.put(String.valueOf(index), MmBenchQuestions.promptOptions(table, row)));
        checks.same("prompt_options", options, expected.get("prompt_options"));
        upload(MmBench.upload(table, predictions, file), folder.resolve("upload_expected.json"), checks);
    }

    private static void outcome(
            String name,
            List<MmBenchScore.Row> rows,
            @Nullable Function<MmBenchScore.Row, @Nullable String> judge,
            JsonNode expected,
            Checks checks) {
        MmBenchScore outcome = MmBenchScore.of(rows, OptionMatching.VLMEVALKIT, judge);
        JsonNode wanted = expected.get(name);
        checks.same(name + "/hit", hits(outcome), wanted.get("hit"));
        Map<String, Object> logs = new LinkedHashMap<>();
        outcome.hits().forEach(hit -> {
            String log = hit.log().split(":", 2)[0];
            logs.put(String.valueOf(hit.main().index()), log.length() > LOG_SHOWN ? log.substring(0, LOG_SHOWN) : log);
        });
        checks.same(name + "/log_kind", logs, wanted.get("log_kind"));
        Map<String, Object> report = new LinkedHashMap<>();
        report.put(
                "split",
                outcome.hits().stream()
                        .map(hit -> hit.main().split())
                        .distinct()
                        .toList());
        report.putAll(outcome.numbers());
        checks.same(name + "/report", report, wanted.get("report"));
        if (wanted.has("judge_calls")) {
            checks.same(name + "/judge_calls", outcome.judgeCalls(), wanted.get("judge_calls"));
        }
    }

    private static Map<String, Object> hits(MmBenchScore outcome) {
        Map<String, Object> hits = new LinkedHashMap<>();
        outcome.hits().forEach(hit -> hits.put(String.valueOf(hit.main().index()), hit.hit()));
        return hits;
    }

    private static void perRow(List<MmBenchScore.Row> rows, JsonNode expected, Checks checks) {
        Map<String, Object> perRow = new LinkedHashMap<>();
        int equal = 0;
        for (MmBenchScore.Row row : rows) {
            Map<String, Object> values = new LinkedHashMap<>();
            values.put("gt", row.truth());
            values.put("prediction", row.prediction());
            values.put("options", row.options().size());
            values.put("vlmevalkit_head", orFalse(OptionMatching.VLMEVALKIT, row));
            values.put("vlmevalkit_2024_01", orFalse(OptionMatching.VLMEVALKIT_2024_01, row));
            values.put("lmms_eval", orFalse(OptionMatching.LMMS_EVAL, row));
            values.put("letter_equal", row.prediction().equals(row.truth()));
            equal += row.prediction().equals(row.truth()) ? 1 : 0;
            perRow.put(String.valueOf(row.index()), values);
        }
        checks.same("per_row", perRow, expected.get("per_row"));
        checks.same("vanilla_letter_accuracy", (double) equal / rows.size(), expected.get("vanilla_letter_accuracy"));
        checks.same("rows", rows.size(), expected.get("rows"));
        checks.same(
                "groups", rows.stream().map(MmBenchScore.Row::group).distinct().count(), expected.get("groups"));
    }

    private static Object orFalse(OptionMatching matching, MmBenchScore.Row row) {
        String letter = matching.infer(row.prediction(), row.options());
        return letter == null ? Boolean.FALSE : letter;
    }

    /** The sheet is written and read back, since two correct Excel files rarely have the same bytes. */
    private static void upload(MmBenchTable upload, Path expected, Checks checks) {
        JsonNode wanted = JsonFiles.tree(expected);
        Path written = null;
        try {
            written = Files.createTempFile("mmbench", ".xlsx");
            Files.write(written, upload.excel(Set.of("index")));
            MmBenchTable read = MmBenchTable.read(written);
            List<List<@Nullable Object>> rows = new ArrayList<>();
            for (List<@Nullable String> row : read.rows()) {
                List<@Nullable Object> values = new ArrayList<>(row);
                values.set(0, MmBenchTable.number(row.getFirst(), written));
                rows.add(values);
            }
            checks.same("upload/columns", read.columns(), wanted.get("columns"));
            checks.same("upload/rows", rows, wanted.get("rows"));
        } catch (IOException e) {
            throw new DataException("the upload cannot be written (%s)".formatted(e.getMessage()), e);
        } finally {
            if (written != null) {
                written.toFile().delete();
            }
        }
    }
}
