package io.llava4j.eval;

import io.llava4j.eval.format.Question;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.text.ConversationTemplate;
import io.llava4j.text.ResponseFormat;

/**
 * How a benchmark's questions become prompts (docs/reference/evaluation.md#prompts).
 *
 * @param responseFormat the lines that follow a question; empty for none
 * @param template the conversation around it
 * @param maxNewTokens longest answer; 128 for short answers, 1024 for long ones
 * @param recorded what the answer file keeps as {@code prompt}
 */
public record PromptStyle(
        String responseFormat, ConversationTemplate template, int maxNewTokens, RecordedPrompt recorded) {
    private static final int SHORT_ANSWER = 128;
    private static final int LONG_ANSWER = 1024;

    /** A single word or phrase. */
    static final PromptStyle SHORT = of(ResponseFormat.SHORT.prompt(), SHORT_ANSWER, RecordedPrompt.TEXT);

    /** A single word or phrase, or "Unanswerable" where the image does not show the answer. */
    static final PromptStyle SHORT_OR_UNANSWERABLE =
            of(ResponseFormat.SHORT_OR_UNANSWERABLE.prompt(), SHORT_ANSWER, RecordedPrompt.TEXT);

    /** An option's letter. */
    static final PromptStyle LETTER = of(ResponseFormat.LETTER.prompt(), SHORT_ANSWER, RecordedPrompt.TEXT);

    /** Whatever the question asks for. */
    static final PromptStyle OPEN = of("", LONG_ANSWER, RecordedPrompt.TEXT);

    /** An option's letter, with room for more, as LLaVA asks ScienceQA and MMBench. */
    static PromptStyle letter(String responseFormat, RecordedPrompt recorded) {
        return of(responseFormat, LONG_ANSWER, recorded);
    }

    /** With a response format and a limit of its own. */
    static PromptStyle limited(String responseFormat, int maxNewTokens) {
        return of(responseFormat, maxNewTokens, RecordedPrompt.TEXT);
    }

    private static PromptStyle of(String responseFormat, int maxNewTokens, RecordedPrompt recorded) {
        return new PromptStyle(responseFormat, ConversationTemplate.V1, maxNewTokens, recorded);
    }

    /** What an answer file keeps of a question as {@code prompt}; some scorers read it. */
    public enum RecordedPrompt {
        /** The text as sent. */
        TEXT,
        /** The text, after {@code <image>\n} where there is an image. */
        WITH_IMAGE_PLACEHOLDER,
        /** The text without the response format. */
        WITHOUT_FORMAT
    }

    /** The same style without the lines that follow a question. */
    PromptStyle withoutResponseFormat() {
        return new PromptStyle("", template, maxNewTokens, recorded);
    }

    /** The text sent after {@code <image>\n}. */
    public String render(String question) {
        return responseFormat.isEmpty() ? question : question + "\n" + responseFormat;
    }

    /** What the answer file keeps as {@code prompt}. */
    public String recorded(Question question) {
        return switch (recorded) {
            case TEXT -> question.text();
            case WITH_IMAGE_PLACEHOLDER ->
                question.images().isEmpty() ? question.text() : "<image>\n" + question.text();
            case WITHOUT_FORMAT ->
                question.text().endsWith("\n" + responseFormat)
                        ? question.text().substring(0, question.text().length() - responseFormat.length() - 1)
                        : question.text();
        };
    }

    /** Greedy decoding with the benchmark's limit. */
    public GenerationOptions decoding() {
        return GenerationOptions.greedy(maxNewTokens);
    }
}
