package io.llava4j.app.cli;

import io.llava4j.app.terminal.ProgressLine;
import io.llava4j.train.data.LlavaData;
import io.llava4j.train.data.LlavaWriter;
import io.llava4j.train.data.Policy;
import io.llava4j.train.data.SkippedRecord;
import io.llava4j.train.data.format.ExtraFields;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code llava data convert}: writes a data set in another format. */
@Command(
        name = "convert",
        description =
                "Write a data set of any format as LLaVA's JSON, as JSON lines, or with its images as tar shards.")
final class DataConvertCommand implements Callable<Integer> {
    private static final int SHOWN = 20;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Mixin
    private DataSetOptions options = new DataSetOptions();

    @Option(
            names = {"-o", "--output"},
            required = true,
            paramLabel = "OUT",
            description = "OUT.json, OUT.jsonl, or a new folder for the shards.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path output;

    @Option(
            names = "--policy",
            description =
                    "Whether a record that breaks a rule is left out or ends the command: ${COMPLETION-CANDIDATES}"
                            + " (default: ${DEFAULT-VALUE}).")
    private Policy policy = Policy.SKIP;

    @Option(
            names = "--shard-mib",
            paramLabel = "N",
            description = "Size in MiB after which a new shard is started (default: ${DEFAULT-VALUE}).")
    private int shardMib = (int) (LlavaWriter.SHARD_BYTES >> 20);

    @Option(names = "--json", description = "Print one JSON document instead of text.")
    private boolean json;

    private DataConvertCommand() {}

    @Override
    public Integer call() {
        if (shardMib < 1) {
            throw new ParameterException(spec.commandLine(), "--shard-mib must be 1 or more, not " + shardMib);
        }
        boolean shards = LlavaWriter.Form.of(output) == LlavaWriter.Form.SHARDS;
        try (LlavaData data = options.read(policy)) {
            ExtraFields extra = ExtraFields.of(data.file());
            IntFunction<Map<String, JsonNode>> fields = position -> extra.of(data.indices()[position]);
            if (shards) {
                try (ProgressLine progress = ProgressLine.onStderr("writing", "records")) {
                    LlavaWriter.writeShards(
                            output,
                            data.records(),
                            fields,
                            options.images(data),
                            (long) shardMib << 20,
                            progress::update);
                }
            } else {
                LlavaWriter.write(output, data.records(), fields);
            }
            print(data, !shards && data.ownImages() != null);
            tellLost(extra, data);
        }
        return CommandLine.ExitCode.OK;
    }

    private void tellLost(ExtraFields extra, LlavaData data) {
        PrintWriter err = spec.commandLine().getErr();
        int lost = extra.lost(data.indices());
        if (lost > 0) {
            err.printf("llava: warning: %,d records that were left out or joined to others had further fields%n", lost);
        }
        if (!extra.ofTurns().isEmpty()) {
            err.printf("llava: warning: fields of turns are not written: %s%n", extra.ofTurns());
        }
        err.flush();
    }

    private void print(LlavaData data, boolean imagesStay) {
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            Map<String, Object> document = new LinkedHashMap<>();
            document.put("output", output.toString());
            document.put("records", data.records().size());
            document.put("rows_joined", data.joined());
            document.put("skipped", data.skipped());
            document.put("repeated", data.repeated());
            out.println(JsonMapper.builder().build().writeValueAsString(document));
        } else {
            Stream.concat(data.skipped().stream(), data.repeated().stream())
                    .limit(SHOWN)
                    .map(SkippedRecord::message)
                    .forEach(spec.commandLine().getErr()::println);
            spec.commandLine().getErr().flush();
            out.printf(
                    "%s: %,d records, %,d left out%s%n",
                    output,
                    data.records().size(),
                    data.skipped().size() + data.repeated().size(),
                    data.joined() == 0
                            ? ""
                            : ", %,d rows joined to others about the same image".formatted(data.joined()));
            if (imagesStay) {
                out.println("The images were not written; write to a folder to include them.");
            }
        }
        out.flush();
    }
}
