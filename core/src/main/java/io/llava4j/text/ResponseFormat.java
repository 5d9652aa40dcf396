package io.llava4j.text;

/**
 * LLaVA-1.5's response-format prompts, literally as in the released training data and evaluation files
 * (docs/reference/data.md#response-formats; paper, tables 7 and 8). Data building and evaluation share these constants.
 */
public enum ResponseFormat {
    /** No prompt: free-form answers. */
    NONE(""),
    /** VQAv2, GQA, OKVQA, OCR-VQA and most benchmarks. */
    SHORT("Answer the question using a single word or phrase."),
    /** Multiple choice: A-OKVQA, ScienceQA, MMBench, SEED-Bench. */
    LETTER("Answer with the option's letter from the given choices directly."),
    /** TextCaps. Words read from the image may follow, see {@link #withReadText}. */
    CAPTION("Provide a one-sentence caption for the provided image."),
    /** VizWiz: permission to give up, then the short prompt. */
    SHORT_OR_UNANSWERABLE(
            "When the provided information is insufficient, respond with 'Unanswerable'.\n" + SHORT.prompt),
    /** What a region of the image shows; see {@link #about}. */
    REGION("Please provide a short description for this region: %s."),
    /** Where in the image something is; see {@link #about}. */
    BOX("Please provide the bounding box coordinate of the region this sentence describes: %s.");

    private static final String READ_TEXT = "\nReference OCR token: ";

    private final String prompt;

    ResponseFormat(String prompt) {
        this.prompt = prompt;
    }

    /** The literal text; empty for {@link #NONE}, with {@code %s} in the region formats. */
    public String prompt() {
        return prompt;
    }

    /** The prompt on a line of its own after a question; the prompt alone after none. */
    public String ask(String question) {
        if (prompt.isEmpty()) {
            return question;
        }
        return question.isEmpty() ? prompt : question + "\n" + prompt;
    }

    /**
     * A region format's request, ending in one full stop.
     *
     * @param subject a box as text, or a sentence
     */
    public String about(String subject) {
        if (this != REGION && this != BOX) {
            throw new IllegalStateException(this + " is not about a region");
        }
        String request = prompt.replace("%s", subject);
        return subject.endsWith(".") ? request.substring(0, request.length() - 1) : request;
    }

    /**
     * A text followed by words that were read from the image, as TextCaps and TextVQA have them.
     *
     * @param text question or prompt
     * @param words joined by a comma and a space; may be empty
     */
    public static String withReadText(String text, Iterable<String> words) {
        return text + READ_TEXT + String.join(", ", words);
    }
}
