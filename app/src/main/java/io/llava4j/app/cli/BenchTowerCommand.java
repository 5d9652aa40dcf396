package io.llava4j.app.cli;

import io.llava4j.app.bench.TowerBench;
import io.llava4j.checkpoint.Converter.Precision;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code llava bench tower}. */
@Command(
        name = "tower",
        description = "Measure vision tower and projector for one image on the CPU, by the type of their weights; the"
                + " language model is not loaded.")
final class BenchTowerCommand implements Callable<Integer> {
    /** Types that tower and projector are stored in. */
    static final List<Precision> TYPES = List.of(Precision.F32, Precision.F16, Precision.BF16, Precision.Q8_0);

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Mixin
    private MeasuredModel model = new MeasuredModel();

    @Option(
            names = "--types",
            split = ",",
            paramLabel = "TYPE",
            description =
                    "Types to compute from besides the one of the file: f32, f16, bf16 or q8_0 (default: f32,q8_0).")
    private List<Precision> types = List.of(Precision.F32, Precision.Q8_0);

    @Option(names = "--rounds", description = "Rounds after one that warms up (default: ${DEFAULT-VALUE}).")
    private int rounds = 5;

    @Override
    public Integer call() {
        require(spec, "--types", types);
        if (rounds < 1) {
            throw new ParameterException(spec.commandLine(), "--rounds is 1 or more");
        }
        TowerBench.run(spec.commandLine().getOut(), model.path(), types, rounds);
        return CommandLine.ExitCode.OK;
    }

    /** Refuses types that tower and projector are never stored in. */
    static void require(CommandSpec spec, String option, List<Precision> types) {
        if (!TYPES.containsAll(types)) {
            throw new ParameterException(spec.commandLine(), option + " takes f32, f16, bf16 and q8_0");
        }
    }
}
