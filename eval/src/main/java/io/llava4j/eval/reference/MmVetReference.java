package io.llava4j.eval.reference;

import io.llava4j.eval.judge.JudgeReplies;
import io.llava4j.eval.judge.MmVet;
import io.llava4j.eval.judge.MmVetScore;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.FileRole;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import tools.jackson.databind.JsonNode;

/** What MM-Vet's evaluator and LLaVA's converter give for a folder. */
final class MmVetReference {
    private static final String DECIMALS = "decimals_";

    private MmVetReference() {}

    /** Both tables of every grade file, the requests and grades of a judged run, the results file. */
    static void compare(BenchmarkFiles files, Path folder, JsonNode expected, Checks checks) {
        Map<String, MmVet.Sample> samples = MmVet.samples(files.require(FileRole.ANNOTATIONS));
        expected.get("cases").properties().forEach(run -> {
            Map<String, MmVet.Grade> grades = MmVet.grades(folder.resolve("grade_" + run.getKey() + ".json"));
            MmVetScore score = MmVetScore.of(samples, grades);
            checks.same(
                    run.getKey() + "/num_run",
                    score.total().length,
                    run.getValue().get("num_run"));
            for (String key : run.getValue().propertyNames()) {
                if (key.startsWith(DECIMALS)) {
                    int digits = Integer.parseInt(key.substring(DECIMALS.length()));
                    JsonNode wanted = run.getValue().get(key);
                    checks.same(
                            run.getKey() + "/" + key + "/cap-score",
                            score.row(score.capabilities(), digits),
                            wanted.get("cap-score"));
                    checks.same(
                            run.getKey() + "/" + key + "/cap-int-score",
                            score.row(score.sets(), digits),
                            wanted.get("cap-int-score"));
                }
            }
        });
        Map<String, String> answers = MmVet.answers(folder.resolve("answers.jsonl"));
        checks.sameAsFile("results", MmVet.results(answers), folder.resolve("results_expected.json"));
        judge(samples, answers, folder, expected.get("judge"), checks);
    }

    private static void judge(
            Map<String, MmVet.Sample> samples,
            Map<String, String> answers,
            Path folder,
            JsonNode expected,
            Checks checks) {
        JudgeReplies replies = JudgeReplies.read(folder.resolve("judge_replies.jsonl"));
        List<Map<String, Object>> requests = new ArrayList<>();
        Map<String, Object> grades = new LinkedHashMap<>();
        for (String id : replies.ids()) {
            MmVet.Grade grade = MmVet.grade(
                    Objects.requireNonNull(samples.get(id)),
                    Objects.requireNonNull(answers.get(id)),
                    expected.get("prompt").stringValue(),
                    request -> {
                        requests.add(request.body());
                        return replies.apply(request);
                    });
            grades.put(id, Map.of("model", grade.models(), "content", grade.contents(), "score", grade.scores()));
        }
        checks.same("judge/requests", requests, expected.get("requests"));
        checks.same("judge/grades", grades, expected.get("grades"));
        checks.same("judge/api_calls", requests.size(), expected.get("api_calls"));
    }
}
