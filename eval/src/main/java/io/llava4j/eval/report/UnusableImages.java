package io.llava4j.eval.report;

/**
 * The images of a task that were missing or could not be read.
 *
 * @param policy what happened to their questions; {@code skip} or {@code blank}
 * @param images number of images
 * @param questions number of their questions
 * @param first what is wrong with the first one
 */
public record UnusableImages(String policy, int images, int questions, String first) {
    /** A sentence for the console and the report. */
    public String warning() {
        return "%d images are missing or cannot be read; their %d questions %s, so the numbers are not comparable with others (the first: %s)"
                .formatted(
                        images,
                        questions,
                        policy.equals("blank")
                                ? "were asked about a blank image"
                                : "were not asked and have an empty answer",
                        first);
    }
}
