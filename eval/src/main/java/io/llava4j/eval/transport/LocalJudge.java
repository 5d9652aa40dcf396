package io.llava4j.eval.transport;

import io.llava4j.DataException;
import io.llava4j.eval.judge.JudgeRequest;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A deterministic stand-in for a judge, for nano benchmarks and tests: it compares words and understands nothing. Its
 * scores must never stand beside those of a language model.
 */
public final class LocalJudge implements Function<JudgeRequest, String> {
    /** Its name in results. */
    public static final String NAME = "local-word-overlap";

    private static final Set<String> NO_MEANING = Set.of(
            "a", "an", "the", "is", "are", "was", "were", "be", "it", "its", "this", "that", "there", "of", "in", "on",
            "at", "to", "and", "or", "with", "as", "by", "for", "from", "has", "have");

    private static final Pattern LLAVA_BENCH = Pattern.compile(
            "(?s)\\[Context]\n(.*?)\n\n\\[Question]\n.*?\n\n\\[(.*?) 1]\n(.*?)\n\n\\[End of \\2 1]\n\n\\[\\2 2]\n(.*?)\n\n\\[End of \\2 2].*");

    /** After the few-shot prompt: question, ground truth and prediction; neither of the first two has a line break. */
    private static final Pattern MM_VET = Pattern.compile("(?s).*\n[^\n]* \\| ([^\n]*?) \\| (.*?) \\| (?:\n.*)?");

    /**
     * For LLaVA-Bench, each answer's points from 1 to 10 by the words it shares with the context, or for the second
     * answer with the first; for MM-Vet, the share of the ground truth's parts that the prediction contains.
     */
    @Override
    public String apply(JudgeRequest request) {
        String text = request.messages().getLast().content();
        Matcher pair = LLAVA_BENCH.matcher(text);
        if (pair.matches()) {
            String context = pair.group(1);
            double reference = overlap(pair.group(3), context);
            double model = Math.max(overlap(pair.group(4), context), overlap(pair.group(4), pair.group(3)));
            return String.format(Locale.ROOT, "%.1f %.1f\n%s", 1 + 9 * reference, 1 + 9 * model, NAME);
        }
        Matcher graded = MM_VET.matcher(text);
        if (graded.matches()) {
            return String.format(Locale.ROOT, "%.1f", parts(graded.group(2), graded.group(1)));
        }
        throw new DataException(
                "the local judge knows the requests of LLaVA-Bench and MM-Vet only, not that of " + request.id());
    }

    /** Harmonic mean of the shares of meaningful words that answer and ground truth have in common, 0..1. */
    public static double overlap(String answer, String truth) {
        Set<String> given = words(answer);
        Set<String> wanted = words(truth);
        Set<String> common = new HashSet<>(given);
        common.retainAll(wanted);
        return given.isEmpty() || wanted.isEmpty() ? 0 : 2.0 * common.size() / (given.size() + wanted.size());
    }

    /**
     * Share of the parts of MM-Vet's ground truth that an answer contains: parts are joined by {@code <AND>}, alternatives by
     * {@code <OR>}.
     */
    public static double parts(String answer, String truth) {
        List<String> parts = List.of(truth.split("<AND>", -1));
        List<String> said = sequence(answer);
        Predicate<String> contained = part -> Arrays.stream(part.split("<OR>", -1))
                .map(LocalJudge::sequence)
                .anyMatch(words -> !words.isEmpty() && contains(said, words));
        return (double) parts.stream().filter(contained).count() / parts.size();
    }

    private static boolean contains(List<String> all, List<String> part) {
        for (int from = 0; from + part.size() <= all.size(); from++) {
            if (all.subList(from, from + part.size()).equals(part)) {
                return true;
            }
        }
        return false;
    }

    private static Set<String> words(String text) {
        Set<String> words = new HashSet<>(sequence(text));
        words.removeAll(NO_MEANING);
        return words;
    }

    private static List<String> sequence(String text) {
        return Arrays.stream(text.toLowerCase(Locale.ROOT).split("[^\\p{L}\\p{N}]+"))
                .filter(word -> !word.isEmpty())
                .toList();
    }
}
