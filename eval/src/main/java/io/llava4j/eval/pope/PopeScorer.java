package io.llava4j.eval.pope;

import io.llava4j.DataException;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionId;
import io.llava4j.eval.pope.PopeScore.SplitScore;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * POPE's scores as LLaVA's script computes them (docs/reference/evaluation.md#pope), and a strict variant.
 *
 * <p>The script pairs answers with labels <em>by position</em> within a split: shuffled or missing answers give wrong
 * numbers without a word. {@link Matching#STRICT} pairs them by image and question instead. Both report where the two
 * differ.
 */
public final class PopeScorer {
    private static final String LABEL_FILES = "coco_pope_";

    private PopeScorer() {}

    /** How an answer finds its label. */
    public enum Matching {
        /** By position, as LLaVA's script does. */
        OFFICIAL,
        /** By image and question text of the answered question. */
        STRICT
    }

    /** Takes an answer for no if its first sentence has one of the words {@code No}, {@code not}, {@code no}. */
    public static boolean saysYes(String answer) {
        int period = answer.indexOf('.');
        String sentence = period < 0 ? answer : answer.substring(0, period);
        List<String> words = PythonText.splitAtSpaces(sentence.replace(",", ""));
        return !(words.contains("No") || words.contains("not") || words.contains("no"));
    }

    /**
     * Reads the label files {@code coco_pope_<split>.json} of a folder.
     *
     * @return labels by split, sorted by name
     * @throws DataException if the folder holds none, or a file of another name as the official script refuses too
     */
    public static Map<String, List<PopeLabel>> readLabels(Path folder) {
        Map<String, List<PopeLabel>> labels = new TreeMap<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                String name = file.getFileName().toString();
                if (!name.startsWith(LABEL_FILES) || !name.endsWith(".json")) {
                    throw new DataException("%s: not a POPE label file; the folder may hold only %s<split>.json"
                            .formatted(file, LABEL_FILES));
                }
                labels.put(name.substring(LABEL_FILES.length(), name.length() - 5), PopeLabel.read(file));
            }
        } catch (IOException e) {
            throw new DataException("%s: cannot be listed (%s)".formatted(folder, e.getMessage()), e);
        }
        if (labels.isEmpty()) {
            throw new DataException(folder + ": holds no POPE label files");
        }
        return labels;
    }

    /**
     * Scores answers.
     *
     * @param questions LLaVA's question file; its categories are the splits
     * @param labels by split
     * @param answers in file order
     * @param matching how an answer finds its label
     * @throws DataException for an answer to an unknown question, as in the official script
     */
    public static PopeScore score(
            List<Question> questions, Map<String, List<PopeLabel>> labels, List<Answer> answers, Matching matching) {
        Map<QuestionId, Question> byId = new HashMap<>();
        questions.forEach(question -> byId.put(question.id(), question));
        Map<String, List<Answer>> bySplit = new HashMap<>();
        Map<QuestionId, Boolean> parsed = new LinkedHashMap<>();
        List<String> warnings = new ArrayList<>();
        for (Answer answer : answers) {
            Question question = byId.get(answer.id());
            if (question == null) {
                throw new DataException("answer to unknown question_id %s; do questions and answers belong together?"
                        .formatted(answer.id()));
            }
            bySplit.computeIfAbsent(question.category(), c -> new ArrayList<>()).add(answer);
            parsed.put(answer.id(), saysYes(answer.text()));
        }
        Map<String, SplitScore> splits = new LinkedHashMap<>();
        labels.forEach((split, truths) -> {
            List<Answer> given = bySplit.getOrDefault(split, List.of());
            List<Pair> matched = byQuestion(given, truths, byId);
            List<Pair> paired = byPosition(given, truths);
            warnOfGaps(split, given, truths, matched, paired, warnings);
            int answeredYes =
                    (int) given.stream().filter(a -> saysYes(a.text())).count();
            SplitScore score = count(given.size(), answeredYes, matching == Matching.OFFICIAL ? paired : matched);
            if (!score.definedByOfficialScript()) {
                warnings.add(
                        split + ": no yes is right, so precision, recall or F1 is undefined and the official script "
                                + "stops with a division by zero; 0 is reported");
            }
            splits.put(split, score);
        });
        return new PopeScore(splits, parsed, warnings);
    }

    /** What was answered and what is true. */
    private record Pair(boolean answer, boolean truth) {}

    private static List<Pair> byPosition(List<Answer> given, List<PopeLabel> truths) {
        List<Pair> pairs = new ArrayList<>();
        for (int i = 0; i < Math.min(given.size(), truths.size()); i++) {
            pairs.add(new Pair(saysYes(given.get(i).text()), truths.get(i).yes()));
        }
        return pairs;
    }

    /** Answers whose question has a label; of several answers to one question the last. */
    private static List<Pair> byQuestion(
            List<Answer> given, List<PopeLabel> truths, Map<QuestionId, Question> questions) {
        Map<String, Boolean> labels = new HashMap<>();
        truths.forEach(label -> labels.put(label.image() + '\n' + label.text(), label.yes()));
        Map<QuestionId, Pair> pairs = new LinkedHashMap<>();
        for (Answer answer : given) {
            Question question = questions.get(answer.id());
            if (question != null) {
                String asked = question.text().lines().findFirst().orElse("");
                Boolean truth = labels.get(question.image() + '\n' + asked);
                if (truth != null) {
                    pairs.put(answer.id(), new Pair(saysYes(answer.text()), truth));
                }
            }
        }
        return List.copyOf(pairs.values());
    }

    private static void warnOfGaps(
            String split,
            List<Answer> given,
            List<PopeLabel> truths,
            List<Pair> matched,
            List<Pair> paired,
            List<String> warnings) {
        if (given.size() != truths.size()) {
            warnings.add("%s: %d answers for %d labels".formatted(split, given.size(), truths.size()));
        }
        if (matched.size() < given.size()) {
            warnings.add("%s: %d answers have no label of the same image and question"
                    .formatted(split, given.size() - matched.size()));
        }
        if (!matched.equals(paired)) {
            int differ = Math.abs(matched.size() - paired.size());
            for (int i = 0; i < Math.min(matched.size(), paired.size()); i++) {
                differ += matched.get(i).equals(paired.get(i)) ? 0 : 1;
            }
            warnings.add(
                    "%s: %d answers meet another label by position than by image and question; the official score is "
                                    .formatted(split, differ)
                            + "not what the model deserves");
        }
    }

    private static SplitScore count(int answers, int answeredYes, List<Pair> pairs) {
        int[] counts = new int[4];
        for (Pair pair : pairs) {
            counts[(pair.answer() ? 0 : 2) + (pair.answer() == pair.truth() ? 0 : 1)]++;
        }
        return new SplitScore(answers, answeredYes, counts[0], counts[1], counts[2], counts[3]);
    }
}
