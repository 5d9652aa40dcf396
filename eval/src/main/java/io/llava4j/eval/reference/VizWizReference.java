package io.llava4j.eval.reference;

import io.llava4j.eval.format.JsonFiles;
import io.llava4j.eval.format.PythonJson;
import io.llava4j.eval.format.QuestionId;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.vqa.M4cNormaliser;
import io.llava4j.eval.vqa.VizWiz;
import io.llava4j.eval.vqa.VqaAccuracy;
import io.llava4j.eval.vqa.VqaScore;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/** What VizWiz's code and LLaVA's converter give for a folder. */
final class VizWizReference {
    private VizWizReference() {}

    /** Accuracies, the unanswerability task, the upload, and lmms-eval's rule. */
    static void compare(BenchmarkFiles files, Path folder, JsonNode expected, Checks checks) {
        List<VizWiz.Annotated> annotated = VizWiz.annotations(files.require(FileRole.ANNOTATIONS));
        for (String key : expected.propertyNames()) {
            JsonNode wanted = expected.get(key);
            if (key.startsWith("official_on_")) {
                Path results = folder.resolve(key.substring("official_on_".length()) + ".json");
                VqaScore score = VizWiz.score(annotated, uploaded(files, results), VqaAccuracy.Rule.VIZWIZ);
                Vqav2Reference.accuracies(key, wanted, score::rounded, checks);
            } else if (key.startsWith("unanswerability_on_")) {
                Map<String, Double> scores = new HashMap<>();
                JsonFiles.tree(folder.resolve(key.substring("unanswerability_on_".length()) + ".json"))
                        .forEach(entry -> scores.put(
                                entry.get("image").stringValue(),
                                entry.get("answerable").doubleValue()));
                checks.same(key, VizWiz.unanswerability(annotated, scores), wanted);
            }
        }
        VizWiz.Upload upload = VizWiz.convert(files, folder.resolve("answers.jsonl"));
        checks.sameAsFile(
                "upload", PythonJson.dumps(VizWiz.records(upload.answers())), folder.resolve("upload_expected.json"));
        checks.same(
                "convert_stdout",
                "total results: %d, total split: %d, error_line: %d"
                        .formatted(
                                upload.results(),
                                upload.answers().size(),
                                upload.coverage().brokenLines()),
                expected.get("convert_stdout"));
        if (expected.has("secondary_lmms_eval_rule")) {
            Map<String, Double> perImage = new LinkedHashMap<>();
            double sum = 0;
            for (VizWiz.Annotated entry : annotated) {
                QuestionId image = entry.annotation().id();
                double value = lmmsEval(
                        entry.annotation().answers().stream()
                                .map(human -> M4cNormaliser.normalise(human.text()))
                                .toList(),
                        upload.answers().getOrDefault(image, ""));
                perImage.put(image.value(), value);
                sum += value;
            }
            JsonNode rule = expected.get("secondary_lmms_eval_rule");
            checks.same("lmms-eval/overall", sum / perImage.size(), rule.get("overall"));
            checks.same("lmms-eval/per_image", perImage, rule.get("per_image"));
        }
    }

    /** Leave-one-out as in VizWiz's code, but the mean is taken exactly and rounded once. */
    private static double lmmsEval(List<String> truths, String prediction) {
        BigDecimal sum = BigDecimal.ZERO;
        int matches = (int) truths.stream().filter(prediction::equals).count();
        for (String truth : truths) {
            int others = matches - (truth.equals(prediction) ? 1 : 0);
            sum = sum.add(new BigDecimal(Math.min(1, others / 3.0)));
        }
        return sum.divide(BigDecimal.valueOf(truths.size()), MathContext.DECIMAL128)
                .doubleValue();
    }

    private static Map<QuestionId, String> uploaded(BenchmarkFiles files, Path results) {
        return VizWiz.convert(files, results).answers();
    }
}
