package io.llava4j.train.data.mixture;

import java.util.List;

/**
 * What a mixture was made of and how; written beside it as {@code manifest.json}. The same recipe and raw files give the
 * same manifest.
 *
 * @param name of the mixture
 * @param version of the builder; the same version gives the same bytes
 * @param seed of every random decision
 * @param shuffle whether records of all sources are mixed
 * @param recipeSha256 of the recipe with all its values
 * @param file name of the data file
 * @param bytes its size
 * @param sha256 of its bytes
 * @param records in it
 * @param textOnly of them without a picture
 * @param pairs questions with answers in them
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
    /** Whether a source gives another number than expected. */
    public boolean deviates() {
        return sources.stream().anyMatch(source -> source.deviation() != 0);
    }
}
