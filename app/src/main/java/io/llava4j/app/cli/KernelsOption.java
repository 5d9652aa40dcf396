package io.llava4j.app.cli;

import io.llava4j.ConfigException;
import io.llava4j.tensor.kernel.Kernels;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The option of verbs whose products run on the CPU kernels. */
final class KernelsOption {
    private static final String NAME = "--kernels";

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    private boolean given;

    @Option(
            names = NAME,
            paramLabel = "NAME",
            description =
                    "Implementation of matrix products on the CPU, for example scalar; all give the same answers (default:"
                            + " the fastest here; 'llava doctor' lists them).")
    void use(@Nullable String name) {
        if (name == null) {
            return;
        }
        try {
            Kernels.use(NAME, name);
        } catch (ConfigException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()));
        }
        given = true;
    }

    /** Whether it was given. */
    boolean isGiven() {
        return given;
    }

    /** Refuses the option where the CPU computes nothing. */
    void check(String device) {
        if (given && !device.equals("cpu")) {
            throw new ParameterException(
                    spec.commandLine(),
                    NAME + " chooses among implementations for the CPU; leave it out with --device " + device);
        }
    }
}
