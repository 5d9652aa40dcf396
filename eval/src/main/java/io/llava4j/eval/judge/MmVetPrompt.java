package io.llava4j.eval.judge;

import io.llava4j.DataException;
import io.llava4j.eval.format.JsonFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;

/**
 * The few-shot prompt of MM-Vet's grader: in a text file of its own, or where the benchmark has it, the value of
 * {@code prompt} in its evaluator. Its examples are from the benchmark, which is for research only, so that it cannot be
 * part of this program.
 */
final class MmVetPrompt {
    private static final Pattern PYTHON = Pattern.compile("(?ms)^\\s*prompt = \"\"\"(.*?)\"\"\"");

    private MmVetPrompt() {}

    static String read(Path file) {
        String name = file.toString();
        if (name.endsWith(".ipynb")) {
            return cut(file, cells(JsonFiles.tree(file)));
        }
        try {
            String text = Files.readString(file).replace("\r\n", "\n");
            return name.endsWith(".py") ? cut(file, text) : text;
        } catch (IOException e) {
            throw new DataException("%s: cannot be read (%s)".formatted(file, e.getMessage()), e);
        }
    }

    /** The sources of a notebook's cells, whose lines may stand in a list. */
    private static String cells(JsonNode notebook) {
        return notebook.path("cells")
                .valueStream()
                .map(cell -> cell.path("source"))
                .map(source -> source.isArray()
                        ? source.valueStream().map(line -> line.asString("")).collect(Collectors.joining())
                        : source.asString(""))
                .collect(Collectors.joining("\n"));
    }

    private static String cut(Path file, String program) {
        Matcher prompt = PYTHON.matcher(program);
        if (!prompt.find()) {
            throw new DataException("%s: has no 'prompt = \"\"\"…\"\"\"'; save the few-shot prompt as mm-vet-prompt.txt"
                    .formatted(file));
        }
        return prompt.group(1);
    }
}
