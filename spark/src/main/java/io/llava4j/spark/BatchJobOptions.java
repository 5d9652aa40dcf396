package io.llava4j.spark;

import io.llava4j.ConfigException;
import io.llava4j.checkpoint.ModelId;
import io.llava4j.checkpoint.ModelParts;
import io.llava4j.generate.AnswerOptions;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.generate.constrain.JsonAnswerFormat;
import io.llava4j.generate.constrain.JsonConstraint;
import io.llava4j.generate.schedule.Scheduler;
import io.llava4j.image.ExifOrientation;
import io.llava4j.text.ConversationTemplate;
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
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Options of {@link BatchJob}: those of {@code llava batch} that a cluster has a use for, with the same names and meaning. */
final class BatchJobOptions {
    @Parameters(
            paramLabel = "INPUT",
            description = "Questions as JSON, JSON lines, CSV, Parquet, WebDataset or a folder of images.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path input;

    @Option(
            names = {"-o", "--output"},
            required = true,
            paramLabel = "FILE",
            description = "Answers as JSON lines; each shard has its number in the name.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path output;

    @Option(
            names = {"-m", "--model"},
            required = true,
            paramLabel = "MODEL",
            description = "A model folder of any supported layout, or a GGUF file; it answers on the CPU.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path model;

    @Option(
            names = "--vision-tower",
            paramLabel = "DIR",
            description = "CLIP's folder, where the model names its tower but does not hold it.")
    private @Nullable Path visionTower;

    @Option(
            names = "--mmproj",
            paramLabel = "FILE",
            description = "GGUF file of tower and projector (default: the one beside the model's file).")
    private @Nullable Path mmproj;

    @Option(
            names = "--template",
            paramLabel = "NAME",
            description = "Conversation template, such as v1 or llava_llama_2 (default: the model's own).")
    private @Nullable String template;

    @Option(
            names = "--exif-orientation",
            description =
                    "Turn and mirror images as their EXIF orientation says; by default it is ignored, as LLaVA does.")
    private boolean exifOrientation;

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
            names = "--max-new-tokens",
            paramLabel = "N",
            description = "Maximum length of the answer (default: ${DEFAULT-VALUE}).")
    private int maxNewTokens = 512;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            description = "0 for greedy decoding, higher values for more variety (default: ${DEFAULT-VALUE}).")
    private double temperature = 0;

    @Option(
            names = "--top-p",
            paramLabel = "P",
            description = "Sample from the most likely tokens with this total probability (default: ${DEFAULT-VALUE}).")
    private double topP = 1;

    @Option(
            names = "--top-k",
            paramLabel = "K",
            description = "Sample from the K most likely tokens; 0 for all (default: ${DEFAULT-VALUE}).")
    private int topK = 0;

    @Option(
            names = "--repetition-penalty",
            paramLabel = "R",
            description = "Above 1 to avoid tokens that the answer already contains (default: ${DEFAULT-VALUE}).")
    private double repetitionPenalty = 1;

    @Option(names = "--seed", paramLabel = "N", description = "Seed of sampling (default: ${DEFAULT-VALUE}).")
    private long seed = 0;

    @Option(names = "--stop", paramLabel = "TEXT", description = "End the answer before this text; repeatable.")
    private List<String> stop = new ArrayList<>();

    @Option(
            names = "--json-schema",
            paramLabel = "FILE",
            description = "Let the answer be a JSON document that fits the schema in this file.")
    private @Nullable Path schema;

    @Option(names = "--json-object", description = "Let the answer be a JSON object.")
    private boolean jsonObject;

    @Option(
            names = "--parallel",
            paramLabel = "N",
            description = "Answers that an executor decodes at the same time (default: ${DEFAULT-VALUE}).")
    private int parallel = Scheduler.Limits.DEFAULT.parallel();

    @Option(names = "--shards", paramLabel = "N", description = "Number of files (default: ${DEFAULT-VALUE}).")
    private int shards = 16;

    @Option(
            names = "--max-failures",
            paramLabel = "N",
            description = "Succeed with up to N failed records (default: ${DEFAULT-VALUE}).")
    private int maxFailures = 0;

    @Option(names = "--retry-failed", description = "Answer again the records that failed in an earlier job.")
    private boolean retryFailed;

    /** Number of files. */
    int shards() {
        return shards;
    }

    /** Whether records that failed in an earlier job are answered again. */
    boolean retriesFailed() {
        return retryFailed;
    }

    /** Whether so many failed records are accepted. */
    boolean accepts(int failed) {
        return failed <= maxFailures;
    }

    /**
     * Reads the input; the model is loaded when the first record needs it.
     *
     * @param base folder that relative paths begin at: that of the driver, on every machine
     * @param retry whether failed records count as open
     * @throws ConfigException if options are out of range or contradict each other or the input
     */
    BatchTask open(Path base, boolean retry) {
        require(shards >= 1 && shards <= 100_000, "shards must be from 1 to 100000, not " + shards);
        require(parallel >= 1, "parallel must be 1 or more, not " + parallel);
        require(maxFailures >= 0, "max-failures must be 0 or more, not " + maxFailures);
        require(!prompt.isBlank(), "prompt must not be empty");
        require(schema == null || !jsonObject, "json-schema and --json-object exclude each other");
        GenerationOptions decoding =
                new GenerationOptions(maxNewTokens, temperature, topP, topK, repetitionPenalty, seed, stop);
        JsonAnswerFormat format = new JsonAnswerFormat(schema == null ? null : base.resolve(schema), jsonObject);
        JsonConstraint constraint = format.constraint();
        ExifOrientation orientation = ExifOrientation.applied(exifOrientation);
        ConversationTemplate named = template == null ? null : ConversationTemplate.named(template);
        QuestionRows rows = QuestionRows.toAnswer(
                responseFormat == null ? ResponseFormat.NONE : QuestionRows.named(responseFormat), prompt);
        Path file = base.resolve(input);
        Path answers = base.resolve(output);
        BatchTask.requireFile(answers);
        if (BatchFormat.isOpenAi(file)) {
            throw new ConfigException(
                    "%s holds requests in OpenAI's batch format, which this job does not read; answer it with 'llava batch --shard I/N'"
                            .formatted(file));
        }
        ModelParts parts = new ModelParts(resolved(base, visionTower), resolved(base, mmproj));
        Path folder = base.resolve(model);
        List<Path> all = Stream.of(folder, parts.visionTower(), parts.mmproj())
                .filter(Objects::nonNull)
                .toList();
        return new BatchTask(
                new BatchTask.Settings(
                        file,
                        answers,
                        ModelId.of(all, template == null ? "" : template, orientation.idSuffix()),
                        decoding + format.name(),
                        parallel,
                        -1,
                        retry),
                RecordInput.read(
                        file,
                        rows,
                        resolved(base, images),
                        followSymlinks,
                        () -> new BatchModel(
                                LlavaPipeline.open(
                                        folder,
                                        "cpu",
                                        new LlavaPipeline.Settings(named, true, BatchModel.limits(parallel)),
                                        parts),
                                new AnswerOptions(decoding, constraint, -1),
                                orientation)));
    }

    private static @Nullable Path resolved(Path base, @Nullable Path path) {
        return path == null ? null : base.resolve(path);
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new ConfigException("--" + message);
        }
    }
}
