package io.llava4j.app.cli;

import io.llava4j.app.terminal.ProgressLine;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.Converter;
import io.llava4j.checkpoint.GgufTypes;
import io.llava4j.checkpoint.ModelParts;
import io.llava4j.checkpoint.layout.CheckpointLayout;
import io.llava4j.io.KebabCase;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code llava convert}: writes a model in the files of another tool. */
@Command(
        name = "convert",
        description = "Convert a model to the files of LLaVA, transformers or llama.cpp.",
        footer = {
            "",
            "SOURCE may be a folder in any layout, or a GGUF file with its mmproj file in the same folder; the content"
                    + " decides. TARGET appears whole or not at all."
        })
final class ConvertCommand implements Callable<Integer> {
    /** Names of the target layouts on the command line. */
    enum Target {
        LIUHAOTIAN(CheckpointLayout.LIUHAOTIAN),
        HF(CheckpointLayout.HF_NEW),
        HF_OLD(CheckpointLayout.HF_OLD),
        GGUF(CheckpointLayout.GGUF);

        private final CheckpointLayout layout;

        Target(CheckpointLayout layout) {
            this.layout = layout;
        }

        @Override
        public String toString() {
            return KebabCase.of(this);
        }
    }

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Parameters(
            index = "0",
            paramLabel = "SOURCE",
            converter = ModelPath.class,
            description = "A model folder or a GGUF file.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path source;

    @Parameters(index = "1", paramLabel = "TARGET", description = "The folder to write; must not exist yet.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path target;

    @Option(
            names = "--to",
            required = true,
            paramLabel = "LAYOUT",
            description = {
                "liuhaotian (LLaVA's own, with the vision tower), hf (transformers 4.52 or newer), hf-old (older), or gguf"
                        + " (llama.cpp: model-TYPE.gguf and mmproj-TYPE.gguf)."
            })
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Target to;

    @Option(
            names = "--type",
            paramLabel = "TYPE",
            description =
                    "Storage type: f32, f16, bf16, or q8_0, q4_k_m and q4_0 (gguf only; quantize has more options)."
                            + " By default every tensor keeps its type.")
    private Converter.@Nullable Precision type;

    @Option(
            names = "--vision-tower",
            paramLabel = "DIR",
            converter = ModelPath.class,
            description = "Folder of the CLIP model, if the source does not contain its vision tower.")
    private @Nullable Path visionTower;

    private ConvertCommand() {}

    @Override
    public Integer call() {
        if (type != null && type.isQuantised() && to != Target.GGUF) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--type %s is for --to gguf only; choose f32, f16 or bf16"
                            .formatted(type.name().toLowerCase(Locale.ROOT)));
        }
        try (Checkpoint checkpoint = Checkpoint.open(source, new ModelParts(visionTower, null));
                ProgressLine progress = ProgressLine.onStderr("convert", "tensors")) {
            Converter.convert(
                    checkpoint,
                    target,
                    to.layout,
                    type,
                    (tensor, number, total) -> progress.update(number, total, tensor));
            if (to == Target.GGUF && type != null) {
                GgufTypes.of(type)
                        .fallbacks(checkpoint)
                        .ifPresent(spec.commandLine().getErr()::println);
            }
        }
        try (Checkpoint written = Checkpoint.open(target).requireComplete()) {
            PrintWriter out = spec.commandLine().getOut();
            out.printf(Locale.ROOT, "%s: %s%n", target, written.describe());
            if (written.tokenizer().isEmpty()) {
                spec.commandLine()
                        .getErr()
                        .println("%s has no tokenizer.model; copy one to %s before you use the model"
                                .formatted(source, target));
            }
            out.flush();
        }
        return 0;
    }
}
