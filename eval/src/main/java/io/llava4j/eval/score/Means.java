package io.llava4j.eval.score;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Means of groups, in order of first appearance. Sums are taken in order of arrival, as Python's plain {@code sum}; bit
 * equality with the official code depends on it.
 */
public final class Means {
    private final Map<String, Double> sums = new LinkedHashMap<>();
    private final Map<String, Integer> counts = new LinkedHashMap<>();

    /** Adds a value to a group. */
    public void add(String group, double value) {
        sums.merge(group, value, Double::sum);
        counts.merge(group, 1, Integer::sum);
    }

    /** Makes a group known that may stay empty. */
    public void expect(String group) {
        sums.putIfAbsent(group, 0.0);
        counts.putIfAbsent(group, 0);
    }

    /** Values of a group. */
    public int count(String group) {
        return counts.getOrDefault(group, 0);
    }

    /** Values by group. */
    public Map<String, Integer> counts() {
        return counts;
    }

    /** Sum of a group; 0 if it is empty. */
    public double sum(String group) {
        return sums.getOrDefault(group, 0.0);
    }

    /** Sum divided by count; 0 if the group is empty. */
    public double mean(String group) {
        int count = count(group);
        return count == 0 ? 0 : sum(group) / count;
    }

    /** Means of all groups. */
    public Map<String, Double> means() {
        Map<String, Double> means = new LinkedHashMap<>();
        sums.keySet().forEach(group -> means.put(group, mean(group)));
        return means;
    }

    /** Means times 100, computed as VQA's code does: {@code 100 * sum / count}. */
    public Map<String, Double> percent() {
        Map<String, Double> means = new LinkedHashMap<>();
        sums.forEach((group, sum) -> means.put(group, 100 * sum / counts.getOrDefault(group, 1)));
        return means;
    }
}
