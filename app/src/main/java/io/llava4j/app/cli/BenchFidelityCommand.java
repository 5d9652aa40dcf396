package io.llava4j.app.cli;

import io.llava4j.app.bench.FidelityBench;
import io.llava4j.checkpoint.Converter.Precision;
import io.llava4j.image.ImageDecoder;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code llava bench fidelity}. */
@Command(
        name = "fidelity",
        description = "Measure how far storage types move a model's predictions: mean KL divergence, share of positions"
                + " with the same likeliest token, largest difference of a logit.")
final class BenchFidelityCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Mixin
    @SuppressWarnings("UnusedVariable") // sets the kernels of the process
    private KernelsOption kernels = new KernelsOption();

    @Parameters(
            paramLabel = "MODEL",
            converter = ModelPath.class,
            arity = "0..*",
            description = "Models to compare, of the reference's vocabulary (default: none, only --types).")
    private List<Path> models = List.of();

    @Option(
            names = "--against",
            required = true,
            paramLabel = "REFERENCE",
            converter = ModelPath.class,
            description = "Model whose predictions count as right.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path reference;

    @Option(
            names = "--types",
            split = ",",
            paramLabel = "TYPE",
            description = "Types to store the reference's language model in (default: bf16,f16,q8_0,q4_k_m,q4_0 without"
                    + " MODEL and --vision-tower-types, none with them).")
    private List<Precision> types = List.of();

    @Option(
            names = "--vision-tower-types",
            split = ",",
            paramLabel = "TYPE",
            description =
                    "Types to store the reference's vision tower and projector in, with the language model as it is:"
                            + " f32, f16, bf16 or q8_0; needs --image (default: none).")
    private List<Precision> visionTowerTypes = List.of();

    @Option(
            names = "--image",
            split = ",",
            paramLabel = "FILE",
            description = "Images that every question is asked about (default: questions without an image).")
    private List<Path> images = List.of();

    @Override
    public Integer call() {
        BenchTowerCommand.require(spec, "--vision-tower-types", visionTowerTypes);
        if (!visionTowerTypes.isEmpty() && images.isEmpty()) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--vision-tower-types needs --image: without images nothing depends on the tower");
        }
        List<Precision> measured = types.isEmpty() && models.isEmpty() && visionTowerTypes.isEmpty()
                ? List.of(Precision.BF16, Precision.F16, Precision.Q8_0, Precision.Q4_K_M, Precision.Q4_0)
                : types;
        FidelityBench.run(
                spec.commandLine().getOut(),
                reference,
                measured,
                visionTowerTypes,
                models,
                images.stream().map(ImageDecoder::decode).toList());
        return CommandLine.ExitCode.OK;
    }
}
