package io.llava4j.app.cli;

import io.llava4j.app.verify.Suites;
import io.llava4j.app.verify.VerifyReport;
import io.llava4j.app.verify.VerifyRunner;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code llava verify DIR}. */
@Command(name = "verify", description = "Compare the results of this installation with reference data.")
final class VerifyCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Parameters(paramLabel = "DIR", description = "A folder of reference data, or a folder that holds such folders.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path dir;

    @Option(names = "--json", description = "Print one JSON document instead of a table.")
    private boolean json;

    private VerifyCommand() {}

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        VerifyReport report = new VerifyReport(out, json);
        new VerifyRunner(Suites.all()).run(dir, report::add);
        return report.finish() ? 0 : 1;
    }
}
