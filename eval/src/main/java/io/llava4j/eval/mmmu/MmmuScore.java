package io.llava4j.eval.mmmu;

import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.table.AnsweredRow;
import io.llava4j.eval.table.AnsweredTable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** MMMU's accuracies. An answer that names no option gets a drawn one, in the order of the table. */
final class MmmuScore {
    /** What lmms-eval seeds Python's generator with, and nothing else draws from it before the scoring. */
    private static final int SEED = 0;

    /** What MMMU's own code seeds it with. */
    private static final int SEED_OF_MMMU = 42;

    private static final int DIGITS = 5;

    private static final Map<String, List<String>> DOMAINS = domains();

    private MmmuScore() {}

    private static Map<String, List<String>> domains() {
        Map<String, List<String>> domains = new LinkedHashMap<>();
        domains.put("Art and Design", List.of("Art", "Art_Theory", "Design", "Music"));
        domains.put("Business", List.of("Accounting", "Economics", "Finance", "Manage", "Marketing"));
        domains.put("Science", List.of("Biology", "Chemistry", "Geography", "Math", "Physics"));
        domains.put(
                "Health and Medicine",
                List.of(
                        "Basic_Medical_Science",
                        "Clinical_Medicine",
                        "Diagnostics_and_Laboratory_Medicine",
                        "Pharmacy",
                        "Public_Health"));
        domains.put("Humanities and Social Science", List.of("History", "Literature", "Sociology", "Psychology"));
        domains.put(
                "Tech and Engineering",
                List.of(
                        "Agriculture",
                        "Architecture_and_Engineering",
                        "Computer_Science",
                        "Electronics",
                        "Energy_and_Power",
                        "Materials",
                        "Mechanical_Engineering"));
        return domains;
    }

    /** How undecided answers and answers to open questions count. */
    private record Rule(int seed, boolean drawing, boolean openQuestions, boolean lists) {}

    static Score of(AnsweredTable<Mmmu.Truth> table, boolean strict) {
        Map<String, Double> shares = shares(table, new Rule(SEED, true, true, false));
        Map<String, Double> numbers = numbers(table, shares);
        numbers.put("Overall, open questions wrong", overall(table, shares(table, new Rule(SEED, true, false, false))));
        List<String> warnings = new ArrayList<>(table.warnings());
        long drawn = table.rows().stream().filter(MmmuScore::isUndecided).count();
        if (drawn > 0) {
            warnings.add(
                    "%d answers name no option and get one drawn at random with lmms-eval's seed %d; with MMMU's own seed %d Overall is %s"
                            .formatted(
                                    drawn,
                                    SEED,
                                    SEED_OF_MMMU,
                                    overall(table, shares(table, new Rule(SEED_OF_MMMU, true, true, false)))));
        }
        return new Score(
                "Overall",
                numbers,
                shares,
                table.rows().size(),
                warnings,
                strict
                        ? new Score.Strict(
                                "an answer that names no option is wrong, and a list of right answers counts as several",
                                numbers(table, shares(table, new Rule(SEED, false, true, true))))
                        : null);
    }

    private static boolean isUndecided(AnsweredRow<Mmmu.Truth> row) {
        String answer = row.answer();
        return answer != null && !row.truth().open() && choice(answer, row.truth()) == null;
    }

    private static @Nullable String choice(String answer, Mmmu.Truth truth) {
        return ChoiceParsing.parse(PythonText.strip(answer), truth.options());
    }

    private static Map<String, Double> shares(AnsweredTable<Mmmu.Truth> table, Rule rule) {
        PythonRandom random = new PythonRandom(rule.seed());
        Map<String, Double> shares = new LinkedHashMap<>();
        for (AnsweredRow<Mmmu.Truth> row : table.rows()) {
            shares.put(row.id().value(), right(row, rule, random) ? 1.0 : 0.0);
        }
        return shares;
    }

    private static boolean right(AnsweredRow<Mmmu.Truth> row, Rule rule, PythonRandom random) {
        String answer = row.answer();
        Mmmu.Truth truth = row.truth();
        if (answer == null) {
            return false;
        }
        if (truth.open()) {
            return rule.openQuestions()
                    && OpenAnswers.right(PythonText.strip(answer), rule.lists() ? truth.listed() : truth.answers());
        }
        String letter = choice(answer, truth);
        if (letter == null && rule.drawing()) {
            letter = random.choice(List.copyOf(truth.options().keySet()));
        }
        return letter != null && truth.answers().contains(letter);
    }

    private static double overall(AnsweredTable<Mmmu.Truth> table, Map<String, Double> shares) {
        return numbers(table, shares).getOrDefault("Overall", 0.0);
    }

    private static Map<String, Double> numbers(AnsweredTable<Mmmu.Truth> table, Map<String, Double> shares) {
        Map<String, List<Double>> subjects = new LinkedHashMap<>();
        for (AnsweredRow<Mmmu.Truth> row : table.rows()) {
            subjects.computeIfAbsent(row.truth().subject(), subject -> new ArrayList<>())
                    .add(shares.getOrDefault(row.id().value(), 0.0));
        }
        Map<String, Double> numbers = new LinkedHashMap<>();
        numbers.put("Overall", weighted(List.copyOf(subjects.values())));
        DOMAINS.forEach((domain, names) -> {
            List<String> known = names.stream().filter(subjects::containsKey).toList();
            if (!known.isEmpty()) {
                numbers.put(
                        "Overall-" + domain,
                        weighted(known.stream()
                                .map(name -> subjects.getOrDefault(name, List.of()))
                                .toList()));
            }
            known.forEach(name ->
                    numbers.put(name, PythonText.round(accuracy(subjects.getOrDefault(name, List.of())), DIGITS)));
        });
        return numbers;
    }

    private static double accuracy(List<Double> shares) {
        return shares.stream().mapToDouble(Double::doubleValue).sum() / shares.size();
    }

    /** The mean over subjects, each weighted with its number of questions, with the official code's roundings. */
    private static double weighted(List<List<Double>> subjects) {
        double sum = 0;
        int count = 0;
        for (List<Double> subject : subjects) {
            sum += accuracy(subject) * subject.size();
            count += subject.size();
        }
        return PythonText.round(sum / count, DIGITS);
    }
}
