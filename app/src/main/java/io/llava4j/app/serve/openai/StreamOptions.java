package io.llava4j.app.serve.openai;

import io.llava4j.app.serve.http.JsonFields;
import org.jspecify.annotations.Nullable;

/**
 * How an answer is streamed.
 *
 * @param includeUsage whether a last chunk tells the number of tokens
 */
record StreamOptions(boolean includeUsage) {
    /** Null if the answer is not to be streamed. */
    static @Nullable StreamOptions read(JsonFields fields) {
        boolean stream = fields.flag("stream", false);
        JsonFields options = fields.object("stream_options");
        if (options == null) {
            return stream ? new StreamOptions(false) : null;
        }
        if (!stream) {
            throw fields.invalid("stream_options", "needs stream to be true");
        }
        boolean includeUsage = options.flag("include_usage", false);
        options.harmless("include_obfuscation").finish();
        return new StreamOptions(includeUsage);
    }
}
