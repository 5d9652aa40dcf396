package io.llava4j.nano.world;

import java.util.List;

/**
 * What scenes may look like.
 *
 * @param sets artists' sets that drawings are taken from
 * @param minObjects fewest objects, at least 1
 * @param maxObjects most objects; now and then fewer find room
 * @param minSize smallest object, longer edge as a fraction of the image's edge
 * @param maxSize largest object in a scene of two; a single object may be larger, four or five are smaller
 * @param tintProbability chance that an object is dyed
 * @param repeatProbability chance that an object is of the same category as one before it
 * @param signProbability chance of a word on a board
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

    /** Scenes of 1 to 5 objects, as tower and language model are pre-trained on. */
    public static SceneOptions scenes(List<String> sets) {
        return new SceneOptions(sets, 1, 5, 0.34, 0.66, 0.25, 0.15, 0.1, 0.2);
    }

    /** Scenes of the raw data sets of both stages: somewhat smaller objects, about what the shipped tower was trained on. */
    public static SceneOptions sources(List<String> sets) {
        return scenes(sets).withSizes(0.3, 0.64);
    }

    /**
     * Scenes to measure a model on: somewhat larger objects, so that five rarely find room. A model that was trained on
     * such knows the drawings it has seen better, and those of artists it has not met worse, than one trained on smaller
     * ones.
     */
    public static SceneOptions evaluation(List<String> sets) {
        return scenes(sets).withSizes(0.45, 0.72);
    }

    /** Scenes of one object that fills most of the image: where a tower's pre-training begins. */
    public static SceneOptions singles(List<String> sets) {
        return new SceneOptions(sets, 1, 1, 0.7, 0.98, 0.2, 0, 0, 0.2);
    }

    /** The same with another number of objects. */
    public SceneOptions withObjects(int min, int max) {
        return new SceneOptions(
                sets, min, max, minSize, maxSize, tintProbability, repeatProbability, signProbability, maxAngle);
    }

    /** The same with other object sizes. */
    public SceneOptions withSizes(double min, double max) {
        return new SceneOptions(
                sets, minObjects, maxObjects, min, max, tintProbability, repeatProbability, signProbability, maxAngle);
    }

    /** The same with another chance of a sign. */
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
