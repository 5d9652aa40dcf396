package io.llava4j.app.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code llava data}: builds, checks and converts data sets. */
@Command(
        name = "data",
        description = "Build, check, show and convert data sets.",
        synopsisSubcommandLabel = "VERB",
        subcommands = {
            DataBuildCommand.class,
            DataNanoCommand.class,
            DataVocabularyCommand.class,
            DataConvertCommand.class,
            DataValidateCommand.class,
            DataShowCommand.class,
            DataStatsCommand.class
        })
final class DataCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    private DataCommand() {}

    @Override
    public Integer call() {
        throw new ParameterException(spec.commandLine(), "a verb is missing, for example data build");
    }
}
