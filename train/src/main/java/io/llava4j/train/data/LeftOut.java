package io.llava4j.train.data;

import io.llava4j.DataException;
import io.llava4j.train.data.format.Images;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Records that a run cannot use, as known before its first step: those that break a rule, and those whose image is not
 * there.
 *
 * @param records that were left out
 * @param total records of the data set, with those that were left out
 */
public record LeftOut(List<SkippedRecord> records, int total) {
    private static final int NAMED = 3;

    /**
     * Looks for the images of all records.
     *
     * @param missingImages what happens to a record without its image
     * @throws DataException naming records, if an image is missing and the policy is to fail
     */
    public static LeftOut of(LlavaData data, Images images, Policy missingImages) {
        Map<String, String> problems = new HashMap<>();
        Set<SkippedRecord> missing = new LinkedHashSet<>();
        for (int i = 0; i < data.records().size(); i++) {
            String problem = data.records().get(i).images().stream()
                    .map(image -> problems.computeIfAbsent(image, name -> problem(images, name)))
                    .filter(text -> !text.isEmpty())
                    .findFirst()
                    .orElse("");
            if (!problem.isEmpty()) {
                // A record of a data set that is repeated counts once.
                missing.add(data.skip(i, problem));
            }
        }
        if (missingImages == Policy.FAIL && !missing.isEmpty()) {
            throw new DataException(list(List.copyOf(missing)));
        }
        List<SkippedRecord> all = new ArrayList<>(data.skipped());
        all.addAll(missing);
        return new LeftOut(List.copyOf(all), data.distinct() + data.skipped().size());
    }

    private static String problem(Images images, String image) {
        try {
            images.require(image);
            return "";
        } catch (DataException e) {
            return String.valueOf(e.getMessage());
        }
    }

    /**
     * Checks that enough records are left.
     *
     * @param largestShare of all records that may be left out
     * @throws DataException naming the first records and their reasons
     */
    public void require(double largestShare) {
        if (records.size() == total) {
            throw new DataException("none of the %d records can be used; %s".formatted(total, list(records)));
        }
        if (records.size() > largestShare * total) {
            throw new DataException(String.format(
                    Locale.ROOT,
                    "%d of %d records cannot be used, more than data.max-left-out %s; repair them or raise it; %s",
                    records.size(),
                    total,
                    largestShare,
                    list(records)));
        }
    }

    /** A sentence for the user; empty if no record was left out. */
    public Optional<String> sentence() {
        return records.isEmpty()
                ? Optional.empty()
                : Optional.of("%d of %d records are left out; the first: %s"
                        .formatted(records.size(), total, records.getFirst().message()));
    }

    private static String list(List<SkippedRecord> records) {
        String first = records.stream()
                .limit(NAMED)
                .map(SkippedRecord::message)
                .reduce((one, other) -> one + "; " + other)
                .orElse("");
        return records.size() <= NAMED ? first : "%s; and %d more".formatted(first, records.size() - NAMED);
    }
}
