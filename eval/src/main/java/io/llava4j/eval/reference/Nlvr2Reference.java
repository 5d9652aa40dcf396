package io.llava4j.eval.reference;

import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import io.llava4j.eval.several.Nlvr2;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/** What NLVR2's scripts give for a folder of predictions. */
final class Nlvr2Reference {
    private Nlvr2Reference() {}

    /** For every file of predictions all numbers. */
    static void compare(BenchmarkFiles files, Path folder, JsonNode expected, Checks checks) {
        for (Map.Entry<String, JsonNode> run : expected.path("expected").properties()) {
            Path predictions = folder.resolve(run.getKey() + ".csv");
            if (!Files.exists(predictions)) {
                continue;
            }
            Score score = Nlvr2.score(ScoreInput.official(files, predictions));
            Map<String, Object> numbers = new LinkedHashMap<>();
            for (String name : new String[] {"accuracy", "consistency", "filtered_accuracy_percent"}) {
                numbers.put(name, score.numbers().get(name));
            }
            numbers.put("examples", score.samples());
            numbers.put("sentences", Nlvr2.sentences(files));
            checks.same(run.getKey(), numbers, run.getValue());
        }
    }
}
