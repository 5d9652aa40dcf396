package io.llava4j.train.config;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/** Finds the name a user most likely meant. */
public final class NearestName {
    private NearestName() {}

    /** The candidate with the smallest edit distance, if it is close enough to be a slip. */
    public static Optional<String> of(String name, Collection<String> candidates) {
        return candidates.stream()
                .min(Comparator.<String>comparingInt(c -> distance(name, c)).thenComparing(c -> c))
                .filter(c -> distance(name, c) <= Math.max(2, Math.max(name.length(), c.length()) / 3));
    }

    /** Levenshtein distance. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int substituted = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(substituted, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
