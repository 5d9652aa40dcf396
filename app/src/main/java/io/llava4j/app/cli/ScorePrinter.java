package io.llava4j.app.cli;

import io.llava4j.eval.Score;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine;
import tools.jackson.databind.json.JsonMapper;

/** Prints a score: numbers to stdout, warnings to stderr. */
final class ScorePrinter {
    private ScorePrinter() {}

    static void print(CommandLine commandLine, boolean json, String benchmark, Score score) {
        PrintWriter out = commandLine.getOut();
        if (json) {
            Map<String, Object> document = new LinkedHashMap<>();
            document.put("benchmark", benchmark);
            document.put("samples", score.samples());
            document.put("headline", score.headline());
            document.put("value", score.value());
            document.put("numbers", score.numbers());
            document.put("warnings", score.warnings());
            out.println(JsonMapper.builder().build().writeValueAsString(document));
        } else {
            out.printf(Locale.ROOT, "%s: %d answers%n", benchmark, score.samples());
            score.numbers().forEach((name, value) -> out.printf(Locale.ROOT, "%9.4f  %s%n", value, name));
        }
        out.flush();
        PrintWriter err = commandLine.getErr();
        score.warnings().forEach(warning -> err.println("llava: warning: " + warning));
        err.flush();
    }
}
