package io.llava4j.app.serve.request;

import io.llava4j.app.inspect.ModelSummary;
import io.llava4j.app.serve.http.ApiException;
import io.llava4j.app.serve.http.BodyBudget;
import io.llava4j.app.serve.http.JsonFields;
import io.llava4j.checkpoint.ModelParts;
import io.llava4j.generate.AnswerOptions;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.generate.ModelLoader;
import io.llava4j.generate.RunningAnswer;
import io.llava4j.generate.constrain.JsonConstraint;
import io.llava4j.generate.session.ImagePrompt;
import io.llava4j.image.AspectMode;
import io.llava4j.image.ExifOrientation;
import io.llava4j.image.RgbImage;
import io.llava4j.io.Quote;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** The model that a server offers. It may still be loading; until then requests are put off. */
public final class ServedModel implements AutoCloseable {
    private static final String OLLAMA_TAG = ":latest";

    private final List<String> names;
    private final ImageLoader images;
    private final AtomicInteger arriving = new AtomicInteger();
    private final Semaphore decoding = new Semaphore(1);
    private final AnswerTimes times = new AnswerTimes();
    private final Instant created = Instant.now();
    private volatile @Nullable Loaded loaded;
    private boolean closed;

    /** @param names that clients may call the model by; the first is the one it is listed under */
    public ServedModel(List<String> names, ImageLimits limits, ExifOrientation orientation) {
        this(names, new ImageLoader(limits, new RemoteImages(), orientation));
    }

    ServedModel(List<String> names, ImageLoader images) {
        this.names = List.copyOf(names);
        this.images = images;
    }

    /**
     * A model that can answer.
     *
     * @param pipeline closed by {@link #close}
     * @param summary for lists of models
     */
    public record Loaded(LlavaPipeline pipeline, ModelSummary summary) {
        /** Loads a model; its files are opened once. */
        public static Loaded open(Path model, String device, LlavaPipeline.Settings settings, ModelParts parts) {
            ModelLoader.Loaded loaded = ModelLoader.load(model, device, parts);
            ModelSummary summary = ModelSummary.of(model, parts, loaded.tensors());
            return new Loaded(LlavaPipeline.of(model, loaded, settings), summary);
        }
    }

    /** Loads the model; requests are answered once this is done. */
    public void load(Supplier<Loaded> model) {
        Loaded opened = model.get();
        synchronized (this) {
            if (closed) {
                opened.pipeline().close();
                return;
            }
            loaded = opened;
        }
    }

    /** Whether requests are answered. */
    public boolean isReady() {
        return loaded != null;
    }

    /** The names clients may call the model by. */
    public List<String> names() {
        return names;
    }

    /** The name under which the model is listed. */
    public String name() {
        return names.getFirst();
    }

    /** When the server was started. */
    public Instant created() {
        return created;
    }

    /** How long answers took. */
    public AnswerTimes times() {
        return times;
    }

    /**
     * What answers.
     *
     * @throws ApiException if it is still loading
     */
    public LlavaPipeline pipeline() {
        return loaded().pipeline();
    }

    /**
     * The model for lists of models.
     *
     * @throws ApiException if it is still loading
     */
    public ModelSummary summary() {
        return loaded().summary();
    }

    private Loaded loaded() {
        Loaded now = loaded;
        if (now == null) {
            throw ApiException.retryAfter(
                    ApiException.Kind.UNAVAILABLE, "the model is still loading; try again in a moment", 2);
        }
        return now;
    }

    /**
     * Reads the name of the model that a request is for, and refuses any other; without a name it is for this one.
     *
     * @return the name as the client wrote it
     */
    public String requested(JsonFields fields) {
        String name = fields.text("model");
        if (name != null) {
            requireName(name);
        }
        return name == null ? name() : name;
    }

    /** @throws ApiException if no model of that name is served */
    public void requireName(String name) {
        String plain = name.endsWith(OLLAMA_TAG) ? name.substring(0, name.length() - OLLAMA_TAG.length()) : name;
        if (!names.contains(name) && !names.contains(plain)) {
            throw new ApiException(
                    ApiException.Kind.NOT_FOUND,
                    "there is no model %s here; this server has %s".formatted(Quote.of(name), Quote.of(name())));
        }
    }

    /**
     * Begins to answer a request. It has its place in the queue before its images are decoded, so that one that finds no place is
     * refused at once.
     *
     * @param memory is charged for images that are fetched
     * @throws ApiException if the request cannot be answered
     */
    Started start(AnswerRequest request, BodyBudget.Share memory) {
        LlavaPipeline pipeline = pipeline();
        int before = arriving.getAndIncrement();
        try {
            pipeline.requireRoom(before);
            AnswerOptions options =
                    new AnswerOptions(request.decoding(), constraint(request.format()), request.topLogprobs());
            ImagePrompt prompt = prompt(pipeline, request.prompt(), memory);
            return new Started(pipeline.start(prompt, options), pipeline.promptTokens(prompt));
        } finally {
            arriving.getAndDecrement();
        }
    }

    /**
     * An answer that was accepted.
     *
     * @param promptTokens tokens of the prompt, image tokens included
     */
    record Started(RunningAnswer answer, int promptTokens) {}

    /**
     * Tokens of a conversation, image tokens included. Its images are checked but not decoded, unless the model tiles them:
     * otherwise each has as many tokens as any other.
     *
     * @param memory is charged for images that are fetched
     * @throws ApiException if the conversation cannot be answered
     */
    public int promptTokens(AnswerRequest.Conversation chat, BodyBudget.Share memory) {
        LlavaPipeline pipeline = pipeline();
        if (pipeline.model().config().aspectMode() == AspectMode.ANYRES) {
            return pipeline.promptTokens(prompt(pipeline, chat, memory));
        }
        int tokens =
                pipeline.promptTokens(chat.system(), chat.turns(), chat.images().size());
        images.check(chat.images(), memory);
        return tokens;
    }

    /** Images are decoded one at a time, because a decoded image is much larger than its file and than what the model reads. */
    private ImagePrompt prompt(LlavaPipeline pipeline, AnswerRequest.Prompt asked, BodyBudget.Share memory) {
        List<Supplier<RgbImage>> files = images.read(asked.images(), memory);
        if (files.isEmpty()) {
            return prompt(pipeline, asked, files);
        }
        decoding.acquireUninterruptibly();
        try {
            return prompt(pipeline, asked, files);
        } finally {
            decoding.release();
        }
    }

    private static ImagePrompt prompt(
            LlavaPipeline pipeline, AnswerRequest.Prompt asked, List<Supplier<RgbImage>> files) {
        return switch (asked) {
            case AnswerRequest.Conversation chat -> pipeline.prompt(chat.system(), chat.turns(), files);
            case AnswerRequest.Completion text -> pipeline.completion(text.text(), files);
        };
    }

    private static @Nullable JsonConstraint constraint(AnswerFormat format) {
        if (!format.isJson()) {
            return null;
        }
        JsonNode schema = format.schema();
        return schema == null ? JsonConstraint.anyObject() : JsonConstraint.schema(schema);
    }

    @Override
    public synchronized void close() {
        closed = true;
        Loaded now = loaded;
        loaded = null;
        if (now != null) {
            now.pipeline().close();
        }
    }
}
