package io.llava4j.eval.reference;

import io.llava4j.DataException;
import io.llava4j.eval.choice.Seed;
import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.format.ResultFile;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.FileRole;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;

/** What LLaVA's SEED-Bench script gives for a folder. */
final class SeedReference {
    private SeedReference() {}

    /** For every answer file the printed lines, where the script stops, all counts, every question, the upload. */
    static void compare(BenchmarkFiles files, Path folder, JsonNode expected, Checks checks) {
        Seed.Annotations annotations = Seed.annotations(files.require(FileRole.ANNOTATIONS));
        for (String run : expected.propertyNames()) {
            Path answers = folder.resolve(run + ".jsonl");
            if (Files.exists(answers)) {
                compare(run, annotations, Seed.results(answers), expected.get(run), checks);
                Path upload = folder.resolve("upload_expected_" + run + ".jsonl");
                if (Files.exists(upload)) {
                    checks.sameAsFile(run + "/upload", Seed.upload(annotations, Seed.results(answers)), upload);
                }
            }
        }
    }

    private static void compare(
            String run, Seed.Annotations annotations, ResultFile file, JsonNode expected, Checks checks) {
        Seed.Counts counts = Seed.count(annotations, Seed.byKey(annotations, file), String::equals);
        checks.same(run + "/stdout", printed(annotations, counts), expected.get("stdout"));
        if (expected.has("error")) {
            checks.same(run + "/error", error(annotations, counts, file), expected.get("error"));
        }
        if (expected.has("counts")) {
            Map<String, Object> table = new LinkedHashMap<>();
            counts.total()
                    .counts()
                    .forEach((group, all) -> table.put(
                            group, List.of(counts.total().sum(group), all, Seed.share(counts.total(), group))));
            checks.same(run + "/counts", table, expected.get("counts"));
        }
        if (expected.has("per_question")) {
            checks.same(run + "/per_question", counts.perQuestion(), expected.get("per_question"));
        }
    }

    private static String printed(Seed.Annotations annotations, Seed.Counts counts) {
        StringBuilder out = new StringBuilder();
        for (Map.Entry<Long, String> type : new TreeMap<>(annotations.types()).entrySet()) {
            if (type.getKey().equals(counts.undefined())) {
                return out.toString();
            }
            if (counts.total().count(String.valueOf(type.getKey())) > 0) {
                line(out, type.getValue(), counts, String.valueOf(type.getKey()));
            }
        }
        line(out, "Total accuracy", counts, "total");
        line(out, "image accuracy", counts, "image");
        line(out, "video accuracy", counts, "video");
        return out.toString();
    }

    private static void line(StringBuilder out, String title, Seed.Counts counts, String group) {
        out.append("%s: %s%%\n".formatted(title, PythonText.fixed(Seed.share(counts.total(), group), 2)));
    }

    /** What Python says where the script stops. */
    private static String error(Seed.Annotations annotations, Seed.Counts counts, ResultFile file) {
        if (counts.undefined() != null) {
            return "KeyError: " + counts.undefined();
        }
        for (Seed.Item item : annotations.items()) {
            if (!file.last().containsKey(item.key())) {
                return "KeyError: " + item.id();
            }
        }
        throw new DataException("the script would finish");
    }
}
