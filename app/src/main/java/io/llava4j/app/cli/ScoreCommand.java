package io.llava4j.app.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code llava score}: scores answers that are there already; needs no model. */
@Command(
        name = "score",
        description = "Score answers that are there already, as the official code does.",
        synopsisSubcommandLabel = "BENCHMARK",
        subcommands = {ScoreVqav2Command.class, ScorePopeCommand.class})
final class ScoreCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    private ScoreCommand() {}

    @Override
    public Integer call() {
        throw new ParameterException(spec.commandLine(), "a benchmark is missing");
    }
}
