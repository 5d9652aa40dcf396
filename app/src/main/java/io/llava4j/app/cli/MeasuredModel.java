package io.llava4j.app.cli;

import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The model that a benchmark measures, and the kernels that it is measured with. */
final class MeasuredModel {
    @Option(
            names = {"-m", "--model"},
            required = true,
            paramLabel = "MODEL",
            converter = ModelPath.class,
            description = "A model folder of any supported layout, a GGUF file, or a pulled OWNER/NAME.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path model;

    @Mixin
    @SuppressWarnings("UnusedVariable") // sets the kernels of the process
    private KernelsOption kernels = new KernelsOption();

    /** Folder or file. */
    Path path() {
        return model;
    }
}
