package io.llava4j.app.cli;

import io.llava4j.app.terminal.ProgressLine;
import io.llava4j.train.data.DataCheck;
import io.llava4j.train.data.LlavaData;
import io.llava4j.train.data.LlavaFiles;
import io.llava4j.train.data.SkippedRecord;
import io.llava4j.train.data.format.Pictures;
import io.llava4j.train.recipe.TrainConfig.Policy;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

/** {@code llava data validate}: reads a data set as training would, pictures included. */
@Command(name = "validate", description = "Check a data file in LLaVA's format and all its pictures.")
final class DataValidateCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Parameters(paramLabel = "FILE", description = "JSON array or JSON lines of records.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path file;

    @Option(names = "--images", required = true, paramLabel = "DIR", description = "Folder of the pictures.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path images;

    @Option(
            names = "--policy",
            description = "skip lists every record that would be left out, fail stops at the first malformed one"
                    + " (default: ${DEFAULT-VALUE}).")
    private Policy policy = Policy.SKIP;

    @Option(names = "--follow-symlinks", description = "Accept symbolic links that lead out of the folder.")
    private boolean followSymlinks;

    @Option(names = "--json", description = "Print one JSON document instead of text.")
    private boolean json;

    private DataValidateCommand() {}

    @Override
    public Integer call() {
        LlavaData data = LlavaFiles.read(file, policy);
        Pictures folder = data.pictures(images, followSymlinks);
        DataCheck.Result pictures;
        try (ProgressLine progress = ProgressLine.onStderr("pictures", "pictures")) {
            pictures = DataCheck.pictures(data, folder, Runtime.getRuntime().availableProcessors(), progress::update);
        }
        List<SkippedRecord> problems = new ArrayList<>(data.skipped());
        problems.addAll(pictures.problems());
        print(data, pictures, problems);
        return problems.isEmpty() ? 0 : 1;
    }

    private void print(LlavaData data, DataCheck.Result pictures, List<SkippedRecord> problems) {
        Map<String, Long> counts = new LinkedHashMap<>();
        counts.put("records", (long) data.records().size() + data.skipped().size());
        counts.put(
                "text_only",
                data.records().stream().filter(r -> r.image() == null).count());
        counts.put("pictures", (long) pictures.pictures());
        counts.put("malformed_records", (long) data.skipped().size());
        counts.put("records_with_bad_picture", (long) pictures.problems().size());
        counts.put("leading_answers_dropped", (long) data.leadingAnswersDropped());
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            Map<String, Object> document = new LinkedHashMap<>(counts);
            document.put("problems", problems);
            out.println(JsonMapper.builder().build().writeValueAsString(document));
        } else {
            problems.forEach(problem -> out.println(problem.message()));
            counts.forEach((name, count) -> out.printf("%8d  %s%n", count, name.replace('_', ' ')));
        }
        out.flush();
    }
}
