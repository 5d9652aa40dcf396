package io.llava4j.app.cli;

import io.llava4j.generate.AnswerOptions;
import io.llava4j.generate.ChatRequest;
import io.llava4j.generate.ChatResponse;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.image.RgbImage;
import io.llava4j.text.Turn;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.LongSupplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;
import tools.jackson.databind.json.JsonMapper;

/** {@code llava generate}: answers one question. */
@Command(name = "generate", description = "Answer one question, with or without images.")
final class GenerateCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Mixin
    private DecodingOptions decoding = new DecodingOptions();

    @Mixin
    private JsonAnswerOptions jsonAnswer = new JsonAnswerOptions();

    @Option(
            names = {"-i", "--image"},
            paramLabel = "PATH",
            description =
                    "An image (JPEG, PNG, GIF, BMP, WebP or TIFF): a file, a data URL, or - for stdin; repeatable.")
    private List<String> images = new ArrayList<>();

    @Parameters(
            arity = "1..*",
            paramLabel = "PROMPT",
            description = {
                "The question. Images come first unless the question says <image> where they belong.",
                "Put -- before a question that looks like an option."
            })
    private List<String> prompt = new ArrayList<>();

    @Option(names = "--json", description = "Print one JSON document instead of the streamed text.")
    private boolean json;

    @Option(names = "--verbose", description = "Print timings to stderr.")
    private boolean verbose;

    private GenerateCommand() {}

    /** A prompt of several words may begin with a minus; see {@link #refuseUnknownOptions}. */
    static void allowPromptsLikeOptions(CommandLine root) {
        CommandLine generate = Objects.requireNonNull(root.getSubcommands().get("generate"));
        generate.setUnmatchedOptionsArePositionalParams(true);
    }

    @Override
    public Integer call() {
        AnswerOptions options = new AnswerOptions(decoding.checked(spec), jsonAnswer.constraint(spec), -1);
        refuseUnknownOptions();
        String question = placed(String.join(" ", prompt));
        List<RgbImage> decoded = decoded();
        PrintWriter out = spec.commandLine().getOut();
        Timing timing = new Timing(System::nanoTime);
        try (LlavaPipeline pipeline = model.open()) {
            timing.loaded();
            ChatResponse response =
                    pipeline.stream(new ChatRequest(List.of(Turn.human(question)), decoded), options, text -> {
                        timing.text();
                        if (!json) {
                            out.print(text);
                            out.flush();
                        }
                        return true;
                    });
            timing.end();
            if (json) {
                print(out, question, response, timing);
            } else {
                out.println();
            }
            out.flush();
            PrintWriter err = spec.commandLine().getErr();
            if (response.finish().isTruncated()) {
                err.println("llava: " + response.truncationMessage());
            }
            if (verbose) {
                err.println(timing.describe(response.tokens()));
            }
            err.flush();
        }
        return CommandLine.ExitCode.OK;
    }

    /** A word that begins with a minus is an option that does not exist, unless it stands after {@code --}. */
    private void refuseUnknownOptions() {
        List<String> words = spec.commandLine().getParseResult().originalArgs();
        int end = words.contains("--") ? words.indexOf("--") : words.size();
        for (String word : words.subList(0, end)) {
            if (word.startsWith("-") && prompt.contains(word) && word.chars().noneMatch(Character::isWhitespace)) {
                throw new UnmatchedArgumentException(spec.commandLine(), List.of(word));
            }
        }
    }

    private List<RgbImage> decoded() {
        if (images.stream().filter("-"::equals).count() > 1) {
            throw new ParameterException(spec.commandLine(), "--image - reads stdin, which holds one image only");
        }
        return images.stream()
                .map(image -> ImageArgument.decode(image, System.in, model.orientation()))
                .toList();
    }

    /** The prompt with a placeholder for every image. */
    private String placed(String text) {
        int named = text.split(Turn.IMAGE_PLACEHOLDER, -1).length - 1;
        if (named == 0) {
            return (Turn.IMAGE_PLACEHOLDER + "\n").repeat(images.size()) + text;
        }
        if (named != images.size()) {
            throw new ParameterException(
                    spec.commandLine(),
                    "the prompt says %s %d times, but there are %d --image options"
                            .formatted(Turn.IMAGE_PLACEHOLDER, named, images.size()));
        }
        return text;
    }

    private void print(PrintWriter out, String question, ChatResponse response, Timing timing) {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("model", model.directory().toString());
        document.put("images", images.stream().map(ImageArgument::shown).toList());
        document.put("prompt", question);
        document.put("answer", response.text());
        document.put("tokens", response.tokens());
        document.put("finish_reason", response.finish().label());
        document.put("prompt_tokens", response.usage().promptTokens());
        document.put("image_tokens", response.usage().imageTokens());
        document.put("seconds", timing.seconds());
        out.println(JsonMapper.builder().build().writeValueAsString(document));
    }

    /** Times at which the model was loaded, the first text arrived and the answer was complete. */
    static final class Timing {
        private final LongSupplier clock;
        private final long start;
        private long loaded;
        private long first;
        private long end;

        Timing(LongSupplier nanoClock) {
            this.clock = nanoClock;
            this.start = nanoClock.getAsLong();
        }

        void loaded() {
            loaded = clock.getAsLong();
            first = loaded;
        }

        void text() {
            if (first == loaded) {
                first = clock.getAsLong();
            }
        }

        void end() {
            end = clock.getAsLong();
        }

        Map<String, Double> seconds() {
            Map<String, Double> seconds = new LinkedHashMap<>();
            seconds.put("load", (loaded - start) / 1e9);
            seconds.put("first_text", (first - loaded) / 1e9);
            seconds.put("answer", (end - loaded) / 1e9);
            return seconds;
        }

        /** The prefill yields the first token, so the rate counts the others. */
        String describe(int tokens) {
            double decoding = (end - first) / 1e9;
            String rate = tokens > 1 && decoding > 0
                    ? String.format(Locale.ROOT, ", %.1f tokens/s", (tokens - 1) / decoding)
                    : "";
            return String.format(
                    Locale.ROOT,
                    "load %.2f s, images and prompt %.2f s, %d tokens in %.2f s%s",
                    (loaded - start) / 1e9,
                    (first - loaded) / 1e9,
                    tokens,
                    decoding,
                    rate);
        }
    }
}
