package io.llava4j.app.cli;

import io.llava4j.ConfigException;
import io.llava4j.app.terminal.ProgressLine;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.RandomCheckpoint;
import io.llava4j.tensor.format.DType;
import io.llava4j.text.SentencePieceTokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options of {@code inspect} that write a model of random weights before it is inspected. */
final class RandomModelOptions {
    @Option(
            names = "--make-random",
            required = true,
            paramLabel = "CONFIG",
            description = {
                "First write a model of random weights to PATH, with the shapes of this model folder or config.json.",
                "An interrupted write resumes. models/llava-1.5-7b is the shape of LLaVA-1.5-7B."
            })
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path config;

    @Option(
            names = "--dtype",
            paramLabel = "TYPE",
            description = "F32, F16 or BF16 (default: torch_dtype of CONFIG, BF16 if it has none).")
    private @Nullable DType type;

    @Option(names = "--seed", paramLabel = "N", description = "Seed of the weights (default: ${DEFAULT-VALUE}).")
    private long seed = 0;

    @Option(
            names = "--tokenizer",
            paramLabel = "DIR",
            description = "Folder to copy the tokenizer from (default: the folder of CONFIG, if it has one).")
    private @Nullable Path tokenizer;

    /** Writes the model to {@code directory}. */
    void write(Path directory) {
        Path folder = folder();
        DType stored = type == null ? RandomCheckpoint.typeOf(folder).orElse(DType.BF16) : type;
        RandomCheckpoint model = new RandomCheckpoint(Checkpoint.kindOf(folder), stored, seed);
        if (tokenizer != null && !SentencePieceTokenizer.isIn(tokenizer)) {
            throw new ConfigException("%s holds no tokenizer.model or tokenizer.json".formatted(tokenizer));
        }
        String what = String.format(Locale.ROOT, "%,d random parameters", model.parameters());
        try (ProgressLine progress = ProgressLine.onStderr(what, "MB")) {
            model.write(
                    directory,
                    tokenizer == null ? folder : tokenizer,
                    (done, total) -> progress.update(done / 1_000_000, total / 1_000_000));
        }
    }

    private Path folder() {
        if (!Files.isRegularFile(config)) {
            return config;
        }
        if (!config.endsWith("config.json")) {
            throw new ConfigException("%s: name a model folder or its config.json".formatted(config));
        }
        Path folder = config.toAbsolutePath().getParent();
        return folder == null ? config : folder;
    }
}
