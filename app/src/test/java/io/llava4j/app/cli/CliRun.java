package io.llava4j.app.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** One run of the command line and what it printed. */
record CliRun(int code, String out, String err) {
    static CliRun of(Object... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] texts = new String[arguments.length];
        for (int i = 0; i < texts.length; i++) {
            texts[i] = arguments[i].toString();
        }
        int code = Main.commandLine()
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(texts);
        return new CliRun(code, out.toString(), err.toString());
    }

    JsonNode json() {
        return JsonMapper.builder().build().readTree(out);
    }

    /** Reference data beside the checkout, or a skipped test. */
    static Path reference(String name) {
        Path path = Path.of("../../shared").resolve(name);
        Assumptions.assumeTrue(Files.exists(path), () -> "reference data " + path.toAbsolutePath() + " is not here");
        return path;
    }
}
