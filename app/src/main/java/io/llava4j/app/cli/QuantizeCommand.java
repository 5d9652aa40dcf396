package io.llava4j.app.cli;

import io.llava4j.app.inspect.PartSizes;
import io.llava4j.app.quantize.Calibration;
import io.llava4j.app.terminal.ProgressLine;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.Converter;
import io.llava4j.checkpoint.Converter.Precision;
import io.llava4j.checkpoint.GgufTypes;
import io.llava4j.checkpoint.ModelMemory;
import io.llava4j.checkpoint.ModelParts;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code llava quantize}: writes a model in 4 or 8 bits a weight, as GGUF. */
@Command(
        name = "quantize",
        description = "Write a model in 4 or 8 bits a weight, as GGUF files for llava4j and llama.cpp.",
        footer = {
            "",
            "MODEL may be a folder in any layout, or a GGUF file with its mmproj file in the same folder. Quantise from 16"
                    + " or 32 bits: every further rounding loses more. A LoRA adapter is merged into its base first, with"
                    + " merge-lora."
        })
final class QuantizeCommand implements Callable<Integer> {
    private static final List<Precision> TYPES = List.of(Precision.Q4_0, Precision.Q8_0, Precision.Q4_K_M);
    private static final List<Precision> IMAGE_TYPES = List.of(Precision.F16, Precision.Q8_0);

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Parameters(paramLabel = "MODEL", converter = ModelPath.class, description = "A model folder or a GGUF file.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path model;

    @Option(
            names = {"-o", "--output"},
            required = true,
            paramLabel = "DIR",
            description = "The folder to write model-TYPE.gguf and mmproj-TYPE.gguf to; must not exist yet.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path output;

    @Option(
            names = "--type",
            required = true,
            paramLabel = "TYPE",
            description = {
                "Type of the language model's matrices: q8_0 (8.5 bits a weight), q4_k_m (about 4.8) or q4_0 (4.5,"
                        + " the fastest)."
            })
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Precision type;

    @Option(
            names = "--vision-tower-type",
            paramLabel = "TYPE",
            description = "Type of the vision tower's matrices: f16 or q8_0 (default: ${DEFAULT-VALUE}).")
    private Precision visionTowerType = Precision.F16;

    @Option(
            names = "--projector-type",
            paramLabel = "TYPE",
            description = "Type of the projector's matrices: f16 or q8_0 (default: ${DEFAULT-VALUE}).")
    private Precision projectorType = Precision.F16;

    @Option(
            names = "--vision-tower",
            paramLabel = "DIR",
            converter = ModelPath.class,
            description = "Folder of the CLIP model, if MODEL does not contain its vision tower.")
    private @Nullable Path visionTower;

    @Option(
            names = "--mmproj",
            paramLabel = "FILE",
            description = "GGUF file of tower and projector, if it is not the only one beside MODEL.")
    private @Nullable Path mmproj;

    @Option(
            names = "--calibration",
            paramLabel = "FILE",
            description =
                    "Prompts that MODEL reads first: errors in columns of its matrices that multiply large numbers"
                            + " count more (q4_0 and q4_k_m). A .txt file with a question on each line, or records in any format"
                            + " of training (default: all columns count the same).")
    private @Nullable Path calibration;

    @Option(
            names = "--images",
            paramLabel = "DIR",
            description = "Folder of the images of --calibration, unless FILE contains them.")
    private @Nullable Path images;

    private QuantizeCommand() {}

    @Override
    public Integer call() {
        require("--type", type, TYPES);
        require("--vision-tower-type", visionTowerType, IMAGE_TYPES);
        require("--projector-type", projectorType, IMAGE_TYPES);
        if (calibration != null && type == Precision.Q8_0) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--calibration changes nothing in q8_0, whose rounding is fixed; remove it, or choose q4_k_m or q4_0");
        }
        if (calibration == null && images != null) {
            throw new ParameterException(spec.commandLine(), "--images are those of --calibration; give both");
        }
        ModelParts parts = new ModelParts(visionTower, mmproj);
        Map<String, float[]> importance = calibration == null ? Map.of() : calibrated(parts, calibration);
        GgufTypes types = new GgufTypes(type, visionTowerType, projectorType);
        try (Checkpoint checkpoint = Checkpoint.open(model, parts);
                ProgressLine progress = ProgressLine.onStderr("quantize", "tensors")) {
            Converter.writeGguf(
                    checkpoint,
                    output,
                    types,
                    importance,
                    (tensor, number, total) -> progress.update(number, total, tensor));
            types.fallbacks(checkpoint).ifPresent(spec.commandLine().getErr()::println);
        }
        report();
        return 0;
    }

    private Map<String, float[]> calibrated(ModelParts parts, Path prompts) {
        try (ProgressLine progress = ProgressLine.onStderr("calibrate", "prompts")) {
            Calibration read = Calibration.of(model, parts, prompts, images, progress);
            spec.commandLine()
                    .getErr()
                    .println("calibrated on %,d prompts with %,d images, %,d tokens in all"
                            .formatted(read.prompts(), read.images(), read.tokens()));
            return read.importance();
        }
    }

    private void require(String option, Precision given, List<Precision> allowed) {
        if (!allowed.contains(given)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "%s takes %s, not %s"
                            .formatted(
                                    option,
                                    allowed.stream().map(QuantizeCommand::name).collect(Collectors.joining(", ")),
                                    name(given)));
        }
    }

    private static String name(Precision type) {
        return type.name().toLowerCase(Locale.ROOT);
    }

    private void report() {
        PrintWriter out = spec.commandLine().getOut();
        try (Checkpoint written = Checkpoint.open(output).requireComplete()) {
            out.println(output + ": " + written.describe());
            PartSizes.print(out, written);
            out.println(ModelMemory.of(written).describe());
            if (written.tokenizer().isEmpty()) {
                spec.commandLine()
                        .getErr()
                        .println(
                                "%s has no tokenizer.model; add one to it and quantise it again before you use the model"
                                        .formatted(model));
            }
        }
        out.flush();
    }
}
