package io.llava4j.train.data;

import io.llava4j.train.config.Require;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One of several data sets of a recipe. At most one of {@code weight}, {@code limit} and {@code repeat} is set; without any
 * of them, an epoch has every record once. What is drawn depends on the seed and the name, and is the same in every epoch.
 *
 * @param name in metrics and messages; the file's name up to its first dot, if it is not set
 * @param json the records, in any format of {@code data.json}
 * @param images folder of their images; not needed if no record has one, or the images come with the records
 * @param weight how many of an epoch's samples come from this set, relative to the other sets with a weight: together they
 *     have as many samples as records, each its share of them, drawn as by {@code repeat}
 * @param limit number of records that are drawn at random, none twice
 * @param repeat how often an epoch has every record; of 2.5 all records twice and half of them, drawn at random, once more
 */
public record DataSet(
        @Nullable String name,
        Path json,
        @Nullable Path images,
        @Nullable Double weight,
        @Nullable Integer limit,
        @Nullable Double repeat) {
    public DataSet {
        if (name == null) {
            String file = String.valueOf(json.getFileName());
            int dot = file.indexOf('.');
            name = dot > 0 ? file.substring(0, dot) : file;
        }
        Require.that(
                name.matches("[A-Za-z0-9._-]+"),
                "name is '%s'; write a name of letters, digits, '.', '_' and '-'".formatted(name));
        Require.that(
                Stream.of(weight, limit, repeat).filter(Objects::nonNull).count() <= 1,
                "name %s has more than one of weight, limit and repeat; leave one".formatted(name));
        Require.that(
                weight == null || (weight > 0 && Double.isFinite(weight)),
                "weight is %s; write a number above 0".formatted(weight));
        Require.that(limit == null || limit > 0, "limit is %s; write a number of records above 0".formatted(limit));
        Require.that(
                repeat == null || (repeat > 0 && repeat <= 1000),
                "repeat is %s; write a number above 0 and at most 1000".formatted(repeat));
    }

    /** Its name, given or from the file. */
    public String label() {
        return Objects.requireNonNull(name);
    }
}
