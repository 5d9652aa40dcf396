package io.llava4j.app.verify;

import io.llava4j.eval.format.QuestionFile;
import io.llava4j.eval.vqa.M4cNormaliser;
import io.llava4j.eval.vqa.OfficialVqaNormaliser;
import io.llava4j.eval.vqa.VqaAccuracy;
import io.llava4j.eval.vqa.VqaAnnotation;
import io.llava4j.eval.vqa.VqaFiles;
import io.llava4j.eval.vqa.VqaScore;
import io.llava4j.eval.vqa.VqaUpload;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** A folder of VQAv2 files with the official scores: accuracies, every question, every normalised answer, the upload. */
public final class Vqav2Suite implements Suite {
    private static final String ANNOTATIONS = "v2_mscoco_*_annotations.json";
    private static final String SPLIT = "llava_vqav2_mscoco_*.jsonl";

    @Override
    public String name() {
        return "vqav2";
    }

    @Override
    public boolean accepts(Path dir) {
        return ExpectedValues.presentWith(dir) && first(dir, ANNOTATIONS) != null;
    }

    @Override
    public void run(Path dir, Consumer<CaseResult> out) {
        Path file = first(dir, ANNOTATIONS);
        if (file == null) {
            return;
        }
        JsonNode expected = ExpectedValues.read(dir);
        List<VqaAnnotation> annotations = VqaFiles.readAnnotations(file);
        for (Map.Entry<String, JsonNode> run : expected.properties()) {
            if (run.getValue().has("results_file")) {
                scores(dir, run.getKey(), run.getValue(), annotations, out);
            }
        }
        if (expected.has("normalisation")) {
            normalisation(expected.get("normalisation"), out);
        }
        upload(dir, out);
    }

    private void scores(
            Path dir, String run, JsonNode expected, List<VqaAnnotation> annotations, Consumer<CaseResult> out) {
        Path results = dir.resolve(expected.get("results_file").asString());
        VqaScore score =
                VqaAccuracy.score(annotations, VqaFiles.readResults(results).answers());
        for (Map.Entry<String, JsonNode> entry : expected.properties()) {
            String key = entry.getKey();
            if (!key.matches("(accuracy|evalQA)_n\\d+")) {
                continue;
            }
            VqaScore rounded = score.rounded(Integer.parseInt(key.substring(key.lastIndexOf("_n") + 2)));
            String name = run + "/" + key;
            if (key.startsWith("evalQA")) {
                out.accept(ExpectedValues.table(name(), name, rounded.perQuestion(), entry.getValue()));
            } else {
                JsonNode accuracy = entry.getValue();
                out.accept(ExpectedValues.value(name(), name + "/overall", rounded.overall(), accuracy.get("overall")));
                out.accept(ExpectedValues.table(
                        name(), name + "/perQuestionType", rounded.perQuestionType(), accuracy.get("perQuestionType")));
                out.accept(ExpectedValues.table(
                        name(), name + "/perAnswerType", rounded.perAnswerType(), accuracy.get("perAnswerType")));
            }
        }
    }

    private void normalisation(JsonNode cases, Consumer<CaseResult> out) {
        for (String rule : List.of("llava_m4c", "vqaeval_punct", "vqaeval_full")) {
            int wrong = 0;
            String detail = "";
            for (JsonNode answer : cases) {
                String raw = answer.get("raw").asString();
                String actual = normalise(rule, raw);
                if (!actual.equals(answer.get(rule).asString())) {
                    wrong++;
                    detail = "%d differ: '%s' gives '%s'".formatted(wrong, raw, actual);
                }
            }
            out.accept(CaseResult.exact(
                    name(), "normalisation/%s (%d)".formatted(rule, cases.size()), wrong == 0, detail));
        }
    }

    private static String normalise(String rule, String raw) {
        return switch (rule) {
            case "llava_m4c" -> M4cNormaliser.normalise(raw);
            case "vqaeval_punct" -> OfficialVqaNormaliser.punctuation(OfficialVqaNormaliser.flat(raw));
            default -> OfficialVqaNormaliser.normalise(OfficialVqaNormaliser.flat(raw));
        };
    }

    private void upload(Path dir, Consumer<CaseResult> out) {
        Path split = first(dir, SPLIT);
        Path answers = dir.resolve("answers.jsonl");
        Path expected = dir.resolve("upload_expected.json");
        if (split == null || !Files.exists(answers) || !Files.exists(expected)) {
            out.accept(CaseResult.skipped(name(), "upload", "needs " + SPLIT + ", answers and upload_expected.json"));
            return;
        }
        Map<String, String> actual = new LinkedHashMap<>();
        VqaUpload.convert(QuestionFile.read(split), answers)
                .answers()
                .forEach((id, answer) -> actual.put(id.toString(), answer));
        Map<String, String> wanted = new LinkedHashMap<>();
        VqaFiles.readResults(expected).answers().forEach((id, answer) -> wanted.put(id.toString(), answer));
        boolean equal = List.copyOf(actual.entrySet()).equals(List.copyOf(wanted.entrySet()));
        out.accept(CaseResult.exact(
                name(), "upload (%d)".formatted(wanted.size()), equal, "ids, order or answers differ"));
    }

    private static @Nullable Path first(Path dir, String pattern) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(dir, pattern)) {
            for (Path file : files) {
                return file;
            }
            return null;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
