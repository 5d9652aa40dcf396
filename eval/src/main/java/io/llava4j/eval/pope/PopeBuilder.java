package io.llava4j.eval.pope;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.eval.format.QuestionId;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * Builds POPE by POPE's own procedure: for each of the first {@code objectsPerImage} objects of an image one question
 * whose answer is yes and one about an object that is not there, chosen as the split says. Frequencies and
 * co-occurrences are counted over the images asked about.
 *
 * @param objectsPerImage yes questions per image, as many as no questions; images with fewer objects are left out. 3
 *     for COCO
 * @param images how many images to draw; 500 for COCO
 * @param seed of the choice of images and of random objects
 */
public record PopeBuilder(int objectsPerImage, int images, long seed) {

    /** @throws ConfigException if a number is not positive */
    public PopeBuilder {
        if (objectsPerImage < 1 || images < 1) {
            throw new ConfigException("POPE needs at least 1 object per image and 1 image, not %d and %d"
                    .formatted(objectsPerImage, images));
        }
    }

    /**
     * Asks about images.
     *
     * @param data all images there are
     * @return the questions of every split, about the same images in the same order
     * @throws DataException if too few images have enough objects, or an image leaves too few absent ones
     */
    public Map<PopeSplit, List<PopeLabel>> build(List<ImageObjects> data) {
        Random random = new Random(seed);
        List<ImageObjects> drawn = draw(data, random);
        List<String> byFrequency = byFrequency(drawn);
        Map<String, List<String>> byCompany = byCompany(drawn);
        Map<PopeSplit, List<PopeLabel>> questions = new EnumMap<>(PopeSplit.class);
        for (PopeSplit split : PopeSplit.values()) {
            List<PopeLabel> labels = new ArrayList<>();
            for (ImageObjects image : drawn) {
                Set<String> asked = new LinkedHashSet<>(image.objects());
                for (String present : image.objects().subList(0, objectsPerImage)) {
                    labels.add(label(labels.size() + 1, image, present, true));
                    List<String> preferred = switch (split) {
                        case RANDOM -> List.<String>of();
                        case POPULAR -> byFrequency;
                        case ADVERSARIAL -> byCompany.getOrDefault(present, List.of());
                    };
                    String absent = absent(image, preferred, byFrequency, asked, random);
                    asked.add(absent);
                    labels.add(label(labels.size() + 1, image, absent, false));
                }
            }
            questions.put(split, labels);
        }
        return questions;
    }

    /** POPE's question; {@code an} before a vowel, as in its published files. */
    public static String question(String object) {
        boolean vowel = "aeiou".indexOf(object.charAt(0)) >= 0;
        return "Is there %s %s in the image?".formatted(vowel ? "an" : "a", object);
    }

    private List<ImageObjects> draw(List<ImageObjects> data, Random random) {
        List<ImageObjects> enough = new ArrayList<>();
        for (ImageObjects image : data) {
            if (image.objects().size() >= objectsPerImage) {
                enough.add(image);
            }
        }
        if (enough.size() < images) {
            throw new DataException(
                    "POPE over %d images needs as many with at least %d objects; only %d of %d have them"
                            .formatted(images, objectsPerImage, enough.size(), data.size()));
        }
        Collections.shuffle(enough, random);
        return enough.subList(0, images);
    }

    /** The first preferred object neither present nor asked about; a random one where none is left. */
    private String absent(
            ImageObjects image, List<String> preferred, List<String> all, Set<String> presentOrAsked, Random random) {
        for (String candidate : preferred) {
            if (!presentOrAsked.contains(candidate)) {
                return candidate;
            }
        }
        List<String> left = new ArrayList<>(all);
        left.removeAll(presentOrAsked);
        if (left.isEmpty()) {
            throw new DataException(
                    "POPE: image %s leaves fewer than %d of the %d known objects to ask for; lower the objects per image"
                            .formatted(image.image(), objectsPerImage, all.size()));
        }
        return left.get(random.nextInt(left.size()));
    }

    private static PopeLabel label(int id, ImageObjects image, String object, boolean yes) {
        return PopeLabel.of(QuestionId.of(id), image.image(), question(object), yes);
    }

    /** All objects, most frequent first; ties in order of first appearance. */
    private static List<String> byFrequency(List<ImageObjects> data) {
        Map<String, Integer> counts = new LinkedHashMap<>();
        data.forEach(image -> image.objects().forEach(object -> counts.merge(object, 1, Integer::sum)));
        return descending(counts);
    }

    /** For each object the others it appears with, most often first. */
    private static Map<String, List<String>> byCompany(List<ImageObjects> data) {
        Map<String, Map<String, Integer>> counts = new HashMap<>();
        for (ImageObjects image : data) {
            for (String object : image.objects()) {
                Map<String, Integer> company = counts.computeIfAbsent(object, o -> new LinkedHashMap<>());
                for (String other : image.objects()) {
                    if (!other.equals(object)) {
                        company.merge(other, 1, Integer::sum);
                    }
                }
            }
        }
        Map<String, List<String>> sorted = new HashMap<>();
        counts.forEach((object, company) -> sorted.put(object, descending(company)));
        return sorted;
    }

    private static List<String> descending(Map<String, Integer> counts) {
        return counts.entrySet().stream()
                .sorted(Map.Entry.<String, Integer>comparingByValue().reversed())
                .map(Map.Entry::getKey)
                .toList();
    }
}
