package io.llava4j.app.serve.request;

import io.llava4j.app.serve.http.ApiException;
import io.llava4j.app.serve.http.JsonFields;
import io.llava4j.generate.AnswerOptions;
import io.llava4j.generate.ChatRequest;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.generate.RunningAnswer;
import io.llava4j.generate.constrain.JsonConstraint;
import io.llava4j.image.ExifOrientation;
import io.llava4j.io.Quote;
import java.time.Instant;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** The model that a server offers. It may still be loading; until then requests are put off. */
public final class ServedModel implements AutoCloseable {
    private static final String OLLAMA_TAG = ":latest";

    private final List<String> names;
    private final ImageLoader images;
    private final AnswerTimes times = new AnswerTimes();
    private final Instant created = Instant.now();
    private volatile @Nullable LlavaPipeline loaded;
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
     * Loads the model; requests are answered once this is done.
     *
     * @param pipeline closed by {@link #close}
     */
    public void load(Supplier<LlavaPipeline> pipeline) {
        LlavaPipeline opened = pipeline.get();
        synchronized (this) {
            if (closed) {
                opened.close();
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
     * The loaded model.
     *
     * @throws ApiException if it is still loading
     */
    public LlavaPipeline pipeline() {
        LlavaPipeline now = loaded;
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
     * Begins to answer a request.
     *
     * @throws ApiException if the request cannot be answered
     */
    RunningAnswer start(AnswerRequest request) {
        LlavaPipeline pipeline = pipeline();
        AnswerOptions options =
                new AnswerOptions(request.decoding(), constraint(request.format()), request.topLogprobs());
        return switch (request.prompt()) {
            case AnswerRequest.Conversation chat ->
                pipeline.start(new ChatRequest(chat.system(), chat.turns(), images.load(chat.images())), options);
            case AnswerRequest.Completion text ->
                pipeline.start(pipeline.completion(text.text(), images.load(text.images())), options);
        };
    }

    /** Tokens of a conversation, image tokens included; its images are decoded to see that they can be. */
    public int promptTokens(AnswerRequest.Conversation chat) {
        return pipeline().promptTokens(new ChatRequest(chat.system(), chat.turns(), images.load(chat.images())));
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
        LlavaPipeline now = loaded;
        loaded = null;
        if (now != null) {
            now.close();
        }
    }
}
