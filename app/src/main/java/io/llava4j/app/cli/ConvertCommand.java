package io.llava4j.app.cli;

import io.llava4j.app.terminal.ProgressLine;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.Converter;
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

/** {@code llava convert}: the same model in another tool's files. */
@Command(
        name = "convert",
        description = "Write a model in the files of LLaVA, transformers or llama.cpp.",
        footer = {
            "",
            "What SOURCE is, is found from its content: a folder of any layout, or a GGUF file with its mmproj file"
                    + " beside it. TARGET appears whole or not at all."
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

    @Parameters(index = "0", paramLabel = "SOURCE", description = "A model folder or a GGUF file.")
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
                "liuhaotian (LLaVA's own, tower embedded), hf (transformers from 4.52), hf-old (before), or gguf"
                        + " (llama.cpp: model-TYPE.gguf and mmproj-TYPE.gguf)."
            })
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Target to;

    @Option(
            names = "--type",
            paramLabel = "TYPE",
            description = "f32, f16, bf16, or q8_0 and q4_0 (gguf only); without it the weights keep theirs.")
    private Converter.@Nullable Precision type;

    @Option(
            names = "--vision-tower",
            paramLabel = "DIR",
            description = "CLIP's folder, where the model names its tower but does not hold it.")
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
        try (Checkpoint checkpoint = Checkpoint.open(source, visionTower);
                ProgressLine progress = ProgressLine.onStderr("convert", "tensors")) {
            Converter.convert(
                    checkpoint,
                    target,
                    to.layout,
                    type,
                    (tensor, number, total) -> progress.update(number, total, tensor));
        }
        try (Checkpoint written = Checkpoint.open(target).requireComplete()) {
            PrintWriter out = spec.commandLine().getOut();
            out.printf(Locale.ROOT, "%s: %s%n", target, written.describe());
            if (written.tokenizer().isEmpty()) {
                spec.commandLine()
                        .getErr()
                        .println("%s has no tokenizer.model, so neither has %s; add one before you ask the model"
                                .formatted(source, target));
            }
            out.flush();
        }
        return 0;
    }
}
