package io.llava4j.app.cli;

import io.llava4j.eval.Benchmark;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code llava score pope}. */
@Command(name = "pope", description = "POPE's F1, accuracy, precision, recall and yes-ratio of each split, 0 to 1.")
final class ScorePopeCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(
            names = "--folder",
            required = true,
            paramLabel = "DIR",
            description = "Holds llava_pope_test.jsonl and coco/coco_pope_*.json.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path folder;

    @Option(names = "--answers", required = true, paramLabel = "FILE", description = "LLaVA's answers.jsonl.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path answers;

    @Option(names = "--json", description = "Print one JSON document instead of a table.")
    private boolean json;

    private ScorePopeCommand() {}

    @Override
    public Integer call() {
        ScorePrinter.print(
                spec.commandLine(), json, "pope", Benchmark.POPE.scorer().score(folder, answers));
        return CommandLine.ExitCode.OK;
    }
}
