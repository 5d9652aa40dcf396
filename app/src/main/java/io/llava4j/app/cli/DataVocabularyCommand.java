package io.llava4j.app.cli;

import io.llava4j.app.terminal.ProgressLine;
import io.llava4j.nano.pretrain.NanoPairs;
import io.llava4j.nano.pretrain.NanoText;
import io.llava4j.nano.world.Drawings;
import io.llava4j.nano.world.SceneOptions;
import io.llava4j.nano.world.Sprites;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.text.VocabularyTrainer;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
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

    private static final int SIZE = 1400;

    private static final int EXTENDED_SIZE = 2000;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Parameters(paramLabel = "DIR", description = "Folder to write tokenizer.model and tokenizer_config.json to.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path dir;

    @Option(
            names = "--extend",
            paramLabel = "PATH",
            description =
                    "Keep the pieces of this vocabulary and add pieces for the Chinese of the nano world, which it"
                            + " spells in bytes. A language model can be trained further with the result.")
    private @Nullable Path extend;

    @Option(
            names = "--size",
            paramLabel = "N",
            description = "Size of the vocabulary (default: 1400; 2000 with --extend).")
    private @Nullable Integer chosenSize;

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
        int size = chosenSize != null ? chosenSize : extend == null ? SIZE : EXTENDED_SIZE;
        int least = extend == null
                ? VocabularyTrainer.MIN_SIZE
                : SentencePieceTokenizer.load(extend).vocabSize() + 1;
        if (size < least) {
            throw new ParameterException(
                    spec.commandLine(), "--size must be %d or more, not %d".formatted(least, size));
        }
        if (lines < 0) {
            throw new ParameterException(spec.commandLine(), "--lines must be 0 or more, not " + lines);
        }
        Sprites sprites = new Sprites(Drawings.load());
        NanoText text = new NanoText(sprites, seed);
        int tokens;
        try (ProgressLine progress = ProgressLine.onStderr("vocabulary", "texts")) {
            progress.update(0, lines);
            Stream<String> texts = IntStream.range(0, lines).mapToObj(i -> {
                String line = extend == null ? text.line(i) : text.inChinese(i);
                progress.update(i + 1L, lines);
                return line;
            });
            tokens = extend == null
                    ? VocabularyTrainer.train(
                                    Stream.concat(texts, phrases(sprites)).iterator(), size, dir)
                            .vocabSize()
                    : VocabularyTrainer.extend(extend, texts.iterator(), size, dir)
                            .vocabSize();
        }
        PrintWriter out = spec.commandLine().getOut();
        out.println(tokens + " tokens in " + dir);
        out.flush();
        return CommandLine.ExitCode.OK;
    }

    private Stream<String> phrases(Sprites sprites) {
        SceneOptions scenes = SceneOptions.scenes(sprites.drawings().trainingSets());
        return new NanoPairs(sprites, scenes, IMAGE_SIZE, seed).phrases().stream();
    }
}
