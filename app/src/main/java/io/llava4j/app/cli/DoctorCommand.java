package io.llava4j.app.cli;

import io.llava4j.app.doctor.Doctor;
import io.llava4j.app.doctor.DoctorReport;
import io.llava4j.app.doctor.Finding;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code llava doctor}. */
@Command(name = "doctor", description = "Check whether this machine can run llava4j, and say what to change.")
final class DoctorCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(names = "--json", description = "Print one JSON document instead of a table.")
    private boolean json;

    @Option(
            names = "--runs",
            paramLabel = "DIR",
            defaultValue = "runs",
            description = "Folder that runs are written to (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path runs;

    private DoctorCommand() {}

    @Override
    public Integer call() {
        List<Finding> findings = Doctor.examine(runs);
        DoctorReport.print(findings, json, spec.commandLine().getOut());
        return findings.stream().anyMatch(finding -> finding.state() == Finding.State.UNUSABLE) ? 1 : 0;
    }
}
