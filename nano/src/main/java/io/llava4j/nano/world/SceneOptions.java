package io.llava4j.nano.world;

import java.util.List;

/**
 * Options of random scenes.
 *
 * @param sets icon sets of the drawings
 * @param minObjects smallest number of objects, at least 1
 * @param maxObjects largest number of objects; sometimes fewer fit
 * @param minSize smallest object, longer edge as a fraction of the image's edge
 * @param maxSize largest object in a scene of two; a single object may be larger, four or five are smaller
 * @param tintProbability probability that an object is tinted
 * @param repeatProbability probability that an object has the category of an earlier one
 * @param signProbability probability of a sign
 * @param maxAngle largest rotation in radians, either way
 */
public record SceneOptions(
        List<String> sets,
        int minObjects,
        int maxObjects,
        double minSize,
        double maxSize,
        double tintProbability,
        double repeatProbability,
        double signProbability,
        double maxAngle) {
    /** @throws IllegalArgumentException if a range is empty or leaves the image */
    public SceneOptions {
        sets = List.copyOf(sets);
        if (sets.isEmpty() || minObjects < 1 || maxObjects < minObjects || maxObjects > 5) {
            throw new IllegalArgumentException(
                    "scenes need at least one set and 1 to 5 objects, not %s sets and %d to %d objects"
                            .formatted(sets.size(), minObjects, maxObjects));
        }
        if (!(minSize >= 0.1 && minSize <= maxSize && maxSize <= 1)) {
            throw new IllegalArgumentException(
                    "object sizes from %s to %s do not lie in [0.1, 1]".formatted(minSize, maxSize));
        }
    }

    /** Scenes of 1 to 5 objects for the pre-training of tower and language model. */
    public static SceneOptions scenes(List<String> sets) {
        return new SceneOptions(sets, 1, 5, 0.34, 0.66, 0.25, 0.15, 0.1, 0.2);
    }

    /** Scenes of the raw data sets of both stages: somewhat smaller objects, about as in the shipped tower's training. */
    public static SceneOptions sources(List<String> sets) {
        return scenes(sets).withSizes(0.3, 0.64);
    }

    /**
     * Scenes for evaluation: somewhat larger objects, so that five rarely fit. A model trained on such scenes is better on
     * known drawings and worse on those of held-out artists than one trained on smaller objects.
     */
    public static SceneOptions evaluation(List<String> sets) {
        return scenes(sets).withSizes(0.45, 0.72);
    }

    /** Scenes of one object that fills most of the image, for the first part of a tower's pre-training. */
    public static SceneOptions singles(List<String> sets) {
        return new SceneOptions(sets, 1, 1, 0.7, 0.98, 0.2, 0, 0, 0.2);
    }

    /** A copy with another number of objects. */
    public SceneOptions withObjects(int min, int max) {
        return new SceneOptions(
                sets, min, max, minSize, maxSize, tintProbability, repeatProbability, signProbability, maxAngle);
    }

    /** A copy with other object sizes. */
    public SceneOptions withSizes(double min, double max) {
        return new SceneOptions(
                sets, minObjects, maxObjects, min, max, tintProbability, repeatProbability, signProbability, maxAngle);
    }

    /** A copy with another probability of a sign. */
    public SceneOptions withSigns(double probability) {
        return new SceneOptions(
                sets,
                minObjects,
                maxObjects,
                minSize,
                maxSize,
                tintProbability,
                repeatProbability,
                probability,
                maxAngle);
    }
}
