package io.llava4j.train.data.mixture;

import java.util.List;

/**
 * Describes a mixture and how it was built; written beside it as {@code manifest.json}. The same recipe and raw files
 * give the same manifest.
 *
 * @param name of the mixture
 * @param version of the builder; the same version gives the same bytes
 * @param seed of every random decision
 * @param shuffle whether records of all sources are mixed
 * @param recipeSha256 of the recipe with all its values
 * @param file name of the data file; {@code name-{00000..00015}.jsonl} for shards
 * @param bytes its size
 * @param sha256 of its bytes
 * @param records in it
 * @param textOnly records without an image
 * @param pairs of question and answer in them
 * @param sources in the recipe's order
 */
public record Manifest(
        String name,
        int version,
        long seed,
        boolean shuffle,
        String recipeSha256,
        String file,
        long bytes,
        String sha256,
        int records,
        int textOnly,
        long pairs,
        List<SourceReport> sources) {
    /** Increased when the same recipe and raw files give other bytes than before. */
    static final int VERSION = 1;

    /**
     * The manifest of a mixture that was built.
     *
     * @param file name of the data file, or the pattern of its shards' names
     * @param bytes of all data
     * @param sha256 of these bytes
     * @param textOnly records without an image
     * @param sources after samples were drawn
     */
    public static Manifest of(
            MixtureRecipe recipe, String file, long bytes, String sha256, int textOnly, List<SourceReport> sources) {
        return new Manifest(
                recipe.name(),
                VERSION,
                recipe.seed(),
                recipe.shuffle(),
                new MixtureKeys(recipe).recipe(),
                file,
                bytes,
                sha256,
                sources.stream().mapToInt(SourceReport::records).sum(),
                textOnly,
                sources.stream().mapToLong(SourceReport::pairs).sum(),
                sources);
    }

    /** Whether a source has more or fewer records than expected. */
    public boolean deviates() {
        return sources.stream().anyMatch(source -> source.deviation() != 0);
    }
}
