package io.llava4j.app.cli;

import io.llava4j.app.batch.OpenAiInput;
import io.llava4j.app.serve.request.ImageLimits;
import io.llava4j.app.serve.request.ServedModel;
import io.llava4j.generate.AnswerOptions;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.constrain.JsonConstraint;
import io.llava4j.generate.schedule.Scheduler;
import io.llava4j.image.ImageDecoder;
import io.llava4j.text.ResponseFormat;
import io.llava4j.train.batch.BatchFormat;
import io.llava4j.train.batch.BatchModel;
import io.llava4j.train.batch.BatchTask;
import io.llava4j.train.batch.RecordInput;
import io.llava4j.train.data.format.QuestionRows;
import io.llava4j.train.data.format.RowShapes;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** What {@code llava batch} and its Spark job are told: input, output, model, and how records are answered. */
public final class BatchOptions {
    /** Options of data files that requests in OpenAI's format say themselves. */
    private static final List<String> OF_RECORDS = List.of(
            "--images",
            "--follow-symlinks",
            "--prompt",
            "--response-format",
            "--max-new-tokens",
            "--temperature",
            "--top-p",
            "--top-k",
            "--repetition-penalty",
            "--stop",
            "--json-schema",
            "--json-object");

    /** Options of requests in OpenAI's format that data files have no use for. */
    private static final List<String> OF_REQUESTS = List.of("--alias", "--allow-image-urls");

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Mixin
    private DecodingOptions decoding = new DecodingOptions();

    @Mixin
    private JsonAnswerOptions jsonAnswer = new JsonAnswerOptions();

    @Parameters(
            paramLabel = "INPUT",
            description =
                    "Questions as JSON, JSON lines, CSV, Parquet, WebDataset or a folder of images, or requests in OpenAI's"
                            + " batch format.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path input;

    @Option(
            names = {"-o", "--output"},
            required = true,
            paramLabel = "FILE",
            description = "Answers as JSON lines, one for each record, in the order of the input.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path output;

    @Option(names = "--images", paramLabel = "DIR", description = "Folder of the images, unless INPUT contains them.")
    private @Nullable Path images;

    @Option(names = "--follow-symlinks", description = "Accept symbolic links that lead out of the image folder.")
    private boolean followSymlinks;

    @Option(
            names = "--prompt",
            paramLabel = "TEXT",
            description = "Question of records that have an image and none of their own (default: ${DEFAULT-VALUE})")
    private String prompt = RowShapes.CAPTION_REQUEST;

    @Option(
            names = "--response-format",
            paramLabel = "FORMAT",
            description = "Response format that the questions of a table ask for, unless a row has its own"
                    + " response_format: none, short, letter, short-or-unanswerable (default: none).")
    private @Nullable String responseFormat;

    @Option(
            names = "--parallel",
            paramLabel = "N",
            description =
                    "Answers that are decoded at the same time; changes the speed, not the answers (default: ${DEFAULT-VALUE}).")
    private int parallel = Scheduler.Limits.DEFAULT.parallel();

    @Option(names = "--retry-failed", description = "Answer again the records that failed in an earlier run.")
    private boolean retryFailed;

    @Option(
            names = "--alias",
            split = ",",
            paramLabel = "NAME",
            description = "Name of the model in OpenAI's requests; repeatable (default: name of its folder).")
    private List<String> aliases = new ArrayList<>();

    @Option(
            names = "--allow-image-urls",
            description = "Fetch images of OpenAI's requests from http and https addresses on the public internet.")
    private boolean allowImageUrls;

    /** Nothing is told yet. */
    public BatchOptions() {}

    /** Whether records that failed in earlier runs are answered again. */
    public boolean retriesFailed() {
        return retryFailed;
    }

    /**
     * The model's folder or file.
     *
     * @throws ParameterException if none is named and there is none to take instead
     */
    public Path model() {
        return model.directory();
    }

    /**
     * Reads the input; the model is loaded when the first record needs it.
     *
     * @param spec of the verb
     * @param maxFailures failures after which a run stops; -1 for no limit
     * @param retryFailed whether records that failed in earlier runs count as open
     * @throws ParameterException if options contradict each other or the input
     */
    public BatchTask open(CommandSpec spec, int maxFailures, boolean retryFailed) {
        model.check();
        require(spec, parallel >= 1, "--parallel must be 1 or more, not " + parallel);
        require(spec, !prompt.isBlank(), "--prompt must not be empty");
        boolean openAi = BatchFormat.isOpenAi(input);
        for (String option : openAi ? OF_RECORDS : OF_REQUESTS) {
            require(
                    spec,
                    !spec.commandLine().getParseResult().hasMatchedOption(option),
                    openAi
                            ? "%s is of no use here: the requests of %s say that themselves".formatted(option, input)
                            : "%s is for requests in OpenAI's batch format, which %s does not hold"
                                    .formatted(option, input));
        }
        GenerationOptions generation = decoding.checked(spec);
        JsonConstraint constraint = jsonAnswer.constraint(spec);
        BatchTask.Settings settings = new BatchTask.Settings(
                input,
                output,
                model.id(),
                openAi ? "seed " + generation.seed() : generation + jsonAnswer.name(),
                parallel,
                maxFailures,
                retryFailed);
        BatchTask.requireFile(output);
        if (openAi) {
            return new BatchTask(settings, OpenAiInput.read(input, generation.seed(), this::served));
        }
        QuestionRows rows = QuestionRows.toAnswer(
                responseFormat == null ? ResponseFormat.NONE : QuestionRows.named(responseFormat), prompt);
        AnswerOptions answers = new AnswerOptions(generation, constraint, -1);
        return new BatchTask(
                settings,
                RecordInput.read(
                        input,
                        rows,
                        images,
                        followSymlinks,
                        () -> new BatchModel(model.open(BatchModel.limits(parallel)), answers, model.orientation())));
    }

    private ServedModel served() {
        ServedModel.Loaded loaded = model.serve(BatchModel.limits(parallel));
        ServedModel served = new ServedModel(
                model.names(aliases),
                new ImageLimits((int) ImageDecoder.MAX_FILE_BYTES, Integer.MAX_VALUE, allowImageUrls),
                model.orientation());
        served.load(() -> loaded);
        return served;
    }

    private static void require(CommandSpec spec, boolean condition, String message) {
        if (!condition) {
            throw new ParameterException(spec.commandLine(), message);
        }
    }
}
