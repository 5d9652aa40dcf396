package io.llava4j.app.cli;

import io.llava4j.app.verify.Suite;
import io.llava4j.app.verify.Suites;
import io.llava4j.app.verify.TinyLlavaSuite;
import io.llava4j.app.verify.VerifyReport;
import io.llava4j.app.verify.VerifyRunner;
import io.llava4j.tensor.ComputePrecision;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
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

    @Option(
            names = "--device",
            paramLabel = "NAME",
            description =
                    "Compare what the tensor engine computes on cpu or cuda:N with recorded tensors of models, instead"
                            + " of everything that is recorded.")
    private @Nullable String device;

    @Option(
            names = "--precision",
            paramLabel = "NAME",
            description = "With --device: fp32, tf32 or bf16, whose bounds are wider (default: fp32).")
    private @Nullable ComputePrecision precision;

    private VerifyCommand() {}

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        VerifyReport report = new VerifyReport(out, json);
        new VerifyRunner(suites()).run(dir, report::add);
        return report.finish() ? 0 : 1;
    }

    private List<Suite> suites() {
        if (device != null) {
            return List.of(new TinyLlavaSuite(device, precision == null ? ComputePrecision.FP32 : precision));
        }
        if (precision != null) {
            throw new ParameterException(spec.commandLine(), "--precision needs --device; name one or leave it out");
        }
        return Suites.all();
    }
}
