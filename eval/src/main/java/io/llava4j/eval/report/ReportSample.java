package io.llava4j.eval.report;

import io.llava4j.eval.format.Question;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * An image of the report with a question, its right answer and the model's answer.
 *
 * @param image an encoded image
 * @param mediaType {@code image/png} or {@code image/jpeg}
 * @param question without the response-format prompt
 * @param truth the right answer
 * @param answer the model's
 * @param blindAnswer the blindfolded model's; empty where it was not asked
 * @param credit what the official score gives the answer, 0..1
 */
public record ReportSample(
        byte[] image,
        String mediaType,
        String question,
        String truth,
        String answer,
        String blindAnswer,
        double credit) {

    /** @throws IllegalArgumentException for another media type */
    public ReportSample {
        if (!mediaType.equals("image/png") && !mediaType.equals("image/jpeg")) {
            throw new IllegalArgumentException("a report shows PNG and JPEG, not " + mediaType);
        }
    }

    /**
     * Chooses questions before any answer is known: at random by seed, and no image twice while other images are left.
     *
     * @param questions with images or without; those without are not chosen
     * @return at most {@code count}
     */
    public static List<Question> choose(List<Question> questions, int count, long seed) {
        List<Question> shuffled = new ArrayList<>(questions);
        shuffled.removeIf(question -> question.image() == null);
        Collections.shuffle(shuffled, new Random(seed));
        List<Question> first = new ArrayList<>();
        List<Question> again = new ArrayList<>();
        Set<String> shown = new HashSet<>();
        for (Question question : shuffled) {
            String image = question.image();
            (image != null && shown.add(image) ? first : again).add(question);
        }
        first.addAll(again);
        return List.copyOf(first.subList(0, Math.min(count, first.size())));
    }
}
