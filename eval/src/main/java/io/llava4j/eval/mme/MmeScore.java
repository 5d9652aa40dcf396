package io.llava4j.eval.mme;

import io.llava4j.DataException;
import io.llava4j.eval.format.PythonText;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * MME's official calculation (docs/reference/evaluation.md#mme).
 *
 * @param tasks by category
 */
public record MmeScore(Map<String, Task> tasks) {
    /** One line of a result file. */
    public record Line(String file, String question, String truth, String answer) {
        /**
         * Splits a line; the answer keeps its newline, which is why only answers without one can equal yes or no.
         *
         * @throws DataException if a tab in the answer breaks the line
         */
        public static Line parse(String category, int number, String line) {
            String[] fields = line.split("\t", -1);
            if (fields.length != 4) {
                throw new DataException(
                        "%s line %d: has %d fields instead of 4; an answer with a tab or newline breaks MME's files"
                                .formatted(category, number, fields.length));
            }
            return new Line(fields[0], fields[1], fields[2], fields[3]);
        }

        /** {@code yes}, {@code no} or {@code other}: yes is looked for first, within four characters. */
        public String label() {
            String lower = PythonText.lower(answer);
            if (lower.equals("yes") || lower.equals("no")) {
                return lower;
            }
            String start = lower.substring(
                    0, lower.offsetByCodePoints(0, Math.min(4, lower.codePointCount(0, lower.length()))));
            return start.contains("yes") ? "yes" : start.contains("no") ? "no" : "other";
        }

        boolean right() {
            return label().equals(PythonText.lower(truth));
        }

        boolean truthIs(String label) {
            return PythonText.lower(truth).equals(label);
        }
    }

    /**
     * A category's counts; yes is the positive class, answers that are neither are left out of the last four.
     *
     * @param lines in file order; pairs are consecutive
     */
    public record Task(List<Line> lines, int right, int pairsRight, int other, int tp, int fn, int tn, int fp) {
        public static Task of(String category, List<Line> lines) {
            if (lines.isEmpty() || lines.size() % 2 != 0) {
                throw new DataException(
                        "%s: has %d answers; MME needs two for every image".formatted(category, lines.size()));
            }
            int right = 0;
            int pairs = 0;
            int other = 0;
            int[] counts = new int[4];
            for (int i = 0; i < lines.size(); i++) {
                Line line = lines.get(i);
                right += line.right() ? 1 : 0;
                pairs += i % 2 == 1 && line.right() && lines.get(i - 1).right() ? 1 : 0;
                String label = line.label();
                if (label.equals("other")) {
                    other++;
                } else {
                    counts[(line.truthIs("yes") ? 0 : 2) + (line.right() ? 0 : 1)]++;
                }
            }
            return new Task(lines, right, pairs, other, counts[0], counts[1], counts[2], counts[3]);
        }

        public double accuracy() {
            return (double) right / lines.size();
        }

        /** Share of pairs that are right as a whole. */
        public double accuracyPlus() {
            return (double) pairsRight / (lines.size() / 2);
        }

        public double score() {
            return accuracy() * 100 + accuracyPlus() * 100;
        }

        public double precision() {
            return tp + fp == 0 ? 0 : (double) tp / (tp + fp);
        }

        public double recall() {
            return tp + fn == 0 ? 0 : (double) tp / (tp + fn);
        }
    }

    /** @throws DataException if a category is missing or its lines do not come in pairs */
    public static MmeScore of(Map<String, List<Line>> lines) {
        Map<String, Task> tasks = new LinkedHashMap<>();
        for (String category : MmeKeys.categories()) {
            tasks.put(category, Task.of(category, lines.getOrDefault(category, List.of())));
        }
        return new MmeScore(tasks);
    }

    /** Lines of a result file's text, as Python's text mode sees them. */
    public static List<Line> parse(String category, String text) {
        List<Line> lines = new ArrayList<>();
        for (String line : text.replace("\r\n", "\n").replace('\r', '\n').split("(?<=\n)")) {
            if (!line.isEmpty()) {
                lines.add(Line.parse(category, lines.size() + 1, line));
            }
        }
        return lines;
    }

    public double total(List<String> categories) {
        double sum = 0;
        for (String category : categories) {
            Task task = tasks.get(category);
            sum += task == null ? 0 : task.score();
        }
        return sum;
    }

    /** What the official script prints. */
    public String printed() {
        return printed("Perception", MmeKeys.PERCEPTION) + printed("Cognition", MmeKeys.COGNITION);
    }

    private String printed(String title, List<String> categories) {
        StringBuilder out = new StringBuilder("=========== %s ===========\ntotal score: %s \n\n"
                .formatted(title, PythonText.repr(total(categories))));
        tasks.forEach((category, task) -> {
            if (categories.contains(category)) {
                out.append("\t %s  score: %s\n".formatted(category, PythonText.repr(task.score())));
            }
        });
        return out.append("\n\n").toString();
    }
}
