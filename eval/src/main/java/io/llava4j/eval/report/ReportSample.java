package io.llava4j.eval.report;

import io.llava4j.DataException;
import io.llava4j.eval.format.Question;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;

/**
 * A question of the report with its images, its right answer and the model's answer.
 *
 * @param images in the order of the question, at least one
 * @param question without the response-format prompt
 * @param truth the right answer
 * @param answer the model's
 * @param blindAnswer the blindfolded model's; empty where it was not asked
 * @param credit what the official score gives the answer, 0..1
 */
public record ReportSample(
        List<Image> images, String question, String truth, String answer, String blindAnswer, double credit) {

    /**
     * An encoded image.
     *
     * @param bytes of a PNG or JPEG file
     * @param mediaType {@code image/png} or {@code image/jpeg}
     */
    public record Image(byte[] bytes, String mediaType) {
        /** @throws IllegalArgumentException for another media type */
        public Image {
            if (!mediaType.equals("image/png") && !mediaType.equals("image/jpeg")) {
                throw new IllegalArgumentException("a report shows PNG and JPEG, not " + mediaType);
            }
        }

        /**
         * Reads a file.
         *
         * @throws DataException if it cannot be read
         * @throws IllegalArgumentException if its name is not that of a PNG or JPEG file
         */
        public static Image read(Path file) {
            if (!isShown(file)) {
                throw new IllegalArgumentException("a report shows PNG and JPEG, not " + file);
            }
            try {
                return new Image(Files.readAllBytes(file), name(file).endsWith(".png") ? "image/png" : "image/jpeg");
            } catch (IOException e) {
                throw new DataException("%s: cannot be read for the report (%s)".formatted(file, e.getMessage()), e);
            }
        }

        /** Whether the name is that of a PNG or JPEG file. */
        public static boolean isShown(Path file) {
            return name(file).endsWith(".png")
                    || name(file).endsWith(".jpg")
                    || name(file).endsWith(".jpeg");
        }

        private static String name(Path file) {
            return file.toString().toLowerCase(Locale.ROOT);
        }
    }

    /** @throws IllegalArgumentException if there is no image */
    public ReportSample {
        if (images.isEmpty()) {
            throw new IllegalArgumentException("a sample needs an image");
        }
        images = List.copyOf(images);
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
