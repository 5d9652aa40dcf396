package io.llava4j.app.serve.request;

import io.llava4j.generate.ConversationBuilder;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.text.Turn;
import java.util.List;

/**
 * What a client asks for, in whichever API it asked.
 *
 * @param prompt what the model is to continue
 * @param decoding how the answer is decoded
 * @param format what the answer must be
 * @param topLogprobs likeliest tokens to be reported with each one; -1 for no log-probabilities
 */
public record AnswerRequest(Prompt prompt, GenerationOptions decoding, AnswerFormat format, int topLogprobs) {
    /** What the model is to continue. */
    public sealed interface Prompt {
        /** Its images in the order of their placeholders. */
        List<ImageSource> images();
    }

    /**
     * A conversation.
     *
     * @param system prompt; empty for the template's own
     * @param turns that end with a question
     */
    public record Conversation(String system, List<Turn> turns, List<ImageSource> images) implements Prompt {
        /**
         * What a builder has collected.
         *
         * @param where path of the messages in the request
         */
        public static Conversation of(ConversationBuilder<ImageSource> builder, String where) {
            ConversationBuilder.Conversation<ImageSource> built = builder.build(where);
            return new Conversation(built.system(), built.turns(), built.images());
        }
    }

    /** A text without a template. */
    public record Completion(String text, List<ImageSource> images) implements Prompt {}

    /** A request for free text without log-probabilities. */
    public AnswerRequest(Prompt prompt, GenerationOptions decoding, AnswerFormat format) {
        this(prompt, decoding, format, -1);
    }
}
