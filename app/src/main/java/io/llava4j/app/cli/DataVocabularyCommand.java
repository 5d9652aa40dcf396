package io.llava4j.app.cli;

import io.llava4j.app.terminal.ProgressLine;
import io.llava4j.nano.pretrain.NanoPairs;
import io.llava4j.nano.pretrain.NanoText;
import io.llava4j.nano.world.Drawings;
import io.llava4j.nano.world.SceneOptions;
import io.llava4j.nano.world.Sprites;
import io.llava4j.text.VocabularyTrainer;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code llava data vocabulary}: trains the tokenizer of the nano models on their texts. */
@Command(name = "vocabulary", description = "Train the tokenizer of the nano models.")
final class DataVocabularyCommand implements Callable<Integer> {
    /** Smallest size: the phrases do not depend on it. */
    private static final int IMAGE_SIZE = 16;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Parameters(paramLabel = "DIR", description = "Folder to write tokenizer.model and tokenizer_config.json to.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path dir;

    @Option(names = "--size", paramLabel = "N", description = "Size of the vocabulary (default: ${DEFAULT-VALUE}).")
    private int size = 1400;

    @Option(
            names = "--lines",
            paramLabel = "N",
            description = "Number of conversations to train on, besides all phrases (default: ${DEFAULT-VALUE}).")
    private int lines = 40_000;

    @Option(names = "--seed", paramLabel = "N", description = "Seed of the conversations (default: ${DEFAULT-VALUE}).")
    private long seed = 1;

    private DataVocabularyCommand() {}

    @Override
    public Integer call() {
        if (size < VocabularyTrainer.MIN_SIZE) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--size must be %d or more, not %d".formatted(VocabularyTrainer.MIN_SIZE, size));
        }
        if (lines < 0) {
            throw new ParameterException(spec.commandLine(), "--lines must be 0 or more, not " + lines);
        }
        Sprites sprites = new Sprites(Drawings.load());
        NanoText text = new NanoText(sprites, seed);
        SceneOptions scenes = SceneOptions.scenes(sprites.drawings().trainingSets());
        int tokens;
        try (ProgressLine progress = ProgressLine.onStderr("vocabulary", "conversations")) {
            progress.update(0, lines);
            Stream<String> conversations = IntStream.range(0, lines).mapToObj(i -> {
                String line = text.line(i);
                progress.update(i + 1L, lines);
                return line;
            });
            Stream<String> phrases = new NanoPairs(sprites, scenes, IMAGE_SIZE, seed).phrases().stream();
            tokens = VocabularyTrainer.train(
                            Stream.concat(conversations, phrases).iterator(), size, dir)
                    .vocabSize();
        }
        PrintWriter out = spec.commandLine().getOut();
        out.println(tokens + " tokens in " + dir);
        out.flush();
        return CommandLine.ExitCode.OK;
    }
}
