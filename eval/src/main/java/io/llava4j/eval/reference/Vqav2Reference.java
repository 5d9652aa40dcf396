package io.llava4j.eval.reference;

import io.llava4j.eval.format.PythonJson;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.vqa.M4cNormaliser;
import io.llava4j.eval.vqa.OfficialVqaNormaliser;
import io.llava4j.eval.vqa.VqaAccuracy;
import io.llava4j.eval.vqa.VqaAnnotation;
import io.llava4j.eval.vqa.VqaFiles;
import io.llava4j.eval.vqa.VqaScore;
import io.llava4j.eval.vqa.VqaUpload;
import io.llava4j.eval.vqa.Vqav2;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import tools.jackson.databind.JsonNode;

/** What the official VQA code and LLaVA's converter give for a folder. */
final class Vqav2Reference {
    private Vqav2Reference() {}

    /** Accuracies of every results file, every normalised answer, the upload. */
    static void compare(BenchmarkFiles files, Path folder, JsonNode expected, Checks checks) {
        List<VqaAnnotation> annotations = VqaFiles.readAnnotations(files.require(FileRole.ANNOTATIONS));
        expected.properties().forEach(run -> {
            if (run.getValue().has("results_file")) {
                Path results = folder.resolve(run.getValue().get("results_file").asString());
                VqaScore score = VqaAccuracy.score(
                        annotations, VqaFiles.readResults(results).answers());
                accuracies(run.getKey(), run.getValue(), score::rounded, checks);
            }
        });
        if (expected.has("normalisation")) {
            normalisation(expected.get("normalisation"), checks);
        }
        VqaUpload upload = Vqav2.convert(files, folder.resolve("answers.jsonl"));
        checks.sameAsFile(
                "upload", PythonJson.dumps(VqaFiles.records(upload.answers())), folder.resolve("upload_expected.json"));
        checks.same(
                "convert_stdout",
                "total results: %d, total split: %d, error_line: %d"
                        .formatted(
                                upload.answers().size()
                                        - upload.coverage().missing().size()
                                        + upload.coverage().unknown().size(),
                                upload.answers().size(),
                                upload.coverage().brokenLines()),
                expected.get("convert_stdout"));
    }

    static void accuracies(String run, JsonNode expected, IntFunction<VqaScore> rounded, Checks checks) {
        for (String key : expected.propertyNames()) {
            if (key.matches("(accuracy|evalQA)_n\\d+")) {
                VqaScore score = rounded.apply(Integer.parseInt(key.substring(key.lastIndexOf("_n") + 2)));
                JsonNode wanted = expected.get(key);
                if (key.startsWith("evalQA")) {
                    checks.same(run + "/" + key, score.perQuestion(), wanted);
                } else {
                    Map<String, Object> accuracy = new LinkedHashMap<>();
                    accuracy.put("overall", score.overall());
                    accuracy.put("perAnswerType", score.perAnswerType());
                    if (wanted.has("perQuestionType")) {
                        accuracy.put("perQuestionType", score.perQuestionType());
                    }
                    checks.same(run + "/" + key, accuracy, wanted);
                }
            }
        }
    }

    static void normalisation(JsonNode cases, Checks checks) {
        List<Map<String, String>> actual = cases.valueStream()
                .map(answer -> {
                    String raw = answer.get("raw").stringValue();
                    String flat = OfficialVqaNormaliser.flat(raw);
                    return Map.of(
                            "raw", raw,
                            "llava_m4c", M4cNormaliser.normalise(raw),
                            "vqaeval_punct", OfficialVqaNormaliser.punctuation(flat),
                            "vqaeval_full", OfficialVqaNormaliser.normalise(flat));
                })
                .toList();
        checks.same("normalisation", actual, cases);
    }
}
