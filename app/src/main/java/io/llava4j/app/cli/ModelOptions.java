package io.llava4j.app.cli;

import io.llava4j.generate.LlavaPipeline;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Options of verbs that load a model. */
final class ModelOptions {
    @Option(
            names = {"-m", "--model"},
            required = true,
            paramLabel = "DIR",
            description = "Model folder of any supported layout, or a GGUF file.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path model;

    @Option(names = "--device", description = "cpu or cuda:N (default: ${DEFAULT-VALUE}).")
    private String device = "cpu";

    /** The path as given on the command line. */
    Path directory() {
        return model;
    }

    /** A file or folder next to the model. */
    Path beside(String name) {
        return model.toAbsolutePath().normalize().resolveSibling(name);
    }

    /** Loads the model. */
    LlavaPipeline open() {
        return LlavaPipeline.open(model, device);
    }
}
