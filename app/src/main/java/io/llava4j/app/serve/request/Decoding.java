package io.llava4j.app.serve.request;

import io.llava4j.app.serve.http.JsonFields;
import io.llava4j.generate.GenerationOptions;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/** Decoding options as most APIs name them. Without a temperature decoding is greedy; without a seed it is drawn. */
public final class Decoding {
    /** Longest answer in tokens where a request names none. */
    public static final int MAX_TOKENS = 512;

    private static final int MAX_STOPS = 16;

    private Decoding() {}

    /**
     * Reads temperature, top_p, top_k, repetition_penalty and seed.
     *
     * @param maxTokens longest answer
     * @param stop texts that end it
     */
    public static GenerationOptions read(JsonFields fields, long maxTokens, List<String> stop) {
        return read(fields, maxTokens, stop, "repetition_penalty");
    }

    /** As {@link #read(JsonFields, long, List)}, where the penalty has another name. */
    public static GenerationOptions read(JsonFields fields, long maxTokens, List<String> stop, String penalty) {
        return new GenerationOptions(
                (int) Math.min(Integer.MAX_VALUE, maxTokens),
                fields.number("temperature", 0, 2, 0),
                Math.max(1e-9, fields.number("top_p", 0, 1, 1)), // 0 keeps the likeliest token
                (int) fields.whole("top_k", 0, Integer.MAX_VALUE, 0),
                fields.number(penalty, 0.01, 100, 1),
                fields.whole(
                        "seed",
                        Long.MIN_VALUE,
                        Long.MAX_VALUE,
                        ThreadLocalRandom.current().nextLong()),
                stop);
    }

    /** A limit of the answer's length in tokens, or the default. */
    public static long maxTokens(JsonFields fields, String name) {
        return fields.whole(name, 1, Integer.MAX_VALUE, MAX_TOKENS);
    }

    /** Texts that end the answer. */
    public static List<String> stops(JsonFields fields, String name) {
        List<String> stops = fields.texts(name, MAX_STOPS);
        if (stops.contains("")) {
            throw fields.invalid(name, "must not hold an empty string");
        }
        return stops;
    }
}
