package io.llava4j.eval.vqa;

import io.llava4j.eval.format.PythonText;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The steps that {@link OfficialVqaNormaliser} and {@link M4cNormaliser} have in common (docs/reference/evaluation.md#m4c-normalisation), faults of the
 * originals included: they move scores.
 */
final class VqaWordRules {
    private static final String MARKS = ";/[]\"{}()=+\\_-><@`,?!";

    private static final Pattern DIGIT_COMMA_DIGIT = Pattern.compile("\\p{Nd},\\p{Nd}");

    /** The original passes re.UNICODE, which is 32, where re.sub expects the number of replacements. */
    private static final int MOST_PERIODS_REMOVED = 32;

    private static final Set<String> ARTICLES = Set.of("a", "an", "the");

    private static final Map<String, String> NUMBERS = Map.ofEntries(
            Map.entry("none", "0"),
            Map.entry("zero", "0"),
            Map.entry("one", "1"),
            Map.entry("two", "2"),
            Map.entry("three", "3"),
            Map.entry("four", "4"),
            Map.entry("five", "5"),
            Map.entry("six", "6"),
            Map.entry("seven", "7"),
            Map.entry("eight", "8"),
            Map.entry("nine", "9"),
            Map.entry("ten", "10"));

    /** Restored where the apostrophe is missing. Those with a capital I never match lower-cased text. */
    private static final String ONE_APOSTROPHE = """
            ain't aren't can't could've couldn't didn't doesn't don't hadn't hasn't haven't he'd he's how'd how'll how's
            I'm I've isn't it'd it'll ma'am mightn't might've mustn't must've needn't not've o'clock oughtn't shan't
            should've shouldn't somebody'll somebody's someone'd someone'll someone's something'd something'll that's
            there'd there're there's they'd they'll they're they've 'twas wasn't we've weren't what'll what're what's
            what've when's where'd where's where've who'd who'll who's who've why'll why're why's won't would've wouldn't
            y'all you'd you'll you're you've
            """;

    /** Restored where the first or the second apostrophe is missing, but not where both are. */
    private static final String TWO_APOSTROPHES = """
            couldn't've hadn't've he'd've I'd've it'd've mightn't've she'd've shouldn't've somebody'd've someone'd've
            something'd've there'd've they'd've we'd've who'd've wouldn't've y'all'll you'd've
            """;

    /** As in the official VQA metric and in M4C. */
    static final Map<String, String> CONTRACTIONS = contractions();

    /**
     * As in VizWiz's code: the same table after a word processor made its apostrophes typographic, but for these. So
     * {@code dont} becomes a word that equals no ordinary {@code don't}.
     */
    static final Map<String, String> TYPOGRAPHIC_CONTRACTIONS = typographic(
            Set.of("aint", "arent", "cant", "couldve", "couldnt", "weve", "wheres", "whove"),
            Set.of("couldn'tve", "hadn'tve"));

    private VqaWordRules() {}

    /**
     * Every mark is deleted where the original text has it next to a space, or has a digit-comma-digit anywhere;
     * otherwise it becomes a space. Then periods go unless a digit follows.
     */
    static String punctuation(String text) {
        boolean groupedDigits = DIGIT_COMMA_DIGIT.matcher(text).find();
        String out = text;
        for (int i = 0; i < MARKS.length(); i++) {
            String mark = MARKS.substring(i, i + 1);
            if (out.contains(mark)) {
                boolean delete = groupedDigits || text.contains(mark + " ") || text.contains(" " + mark);
                out = out.replace(mark, delete ? "" : " ");
            }
        }
        return withoutPeriods(out);
    }

    /** Lower case; number words to digits; articles dropped; contractions restored; one space between words. */
    static String digitsAndArticles(String text, Map<String, String> contractions) {
        List<String> words = new ArrayList<>();
        for (String word : PythonText.split(PythonText.lower(text))) {
            String mapped = NUMBERS.getOrDefault(word, word);
            if (!ARTICLES.contains(mapped)) {
                words.add(contractions.getOrDefault(mapped, mapped));
            }
        }
        return String.join(" ", words);
    }

    /** Newlines and tabs to spaces, then {@code strip()}. */
    static String flat(String text) {
        return PythonText.strip(text.replace('\n', ' ').replace('\t', ' '));
    }

    private static String withoutPeriods(String text) {
        if (text.indexOf('.') < 0) {
            return text;
        }
        StringBuilder out = new StringBuilder(text.length());
        int removed = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean digitFollows = i + 1 < text.length() && PythonText.isDigit(text.codePointAt(i + 1));
            if (c == '.' && !digitFollows && removed < MOST_PERIODS_REMOVED) {
                removed++;
            } else {
                out.append(c);
            }
        }
        return out.toString();
    }

    private static Map<String, String> contractions() {
        Map<String, String> table = new HashMap<>();
        for (String form : PythonText.split(ONE_APOSTROPHE)) {
            table.put(form.replace("'", ""), form);
        }
        for (String form : PythonText.split(TWO_APOSTROPHES)) {
            int first = form.indexOf('\'');
            int second = form.indexOf('\'', first + 1);
            table.put(form.substring(0, first) + form.substring(first + 1), form);
            table.put(form.substring(0, second) + form.substring(second + 1), form);
        }
        table.put("let's", "let's");
        table.put("she's", "she's");
        for (String form : List.of("ow's'at", "'ows'at", "'ow'sat")) {
            table.put(form, "'ow's'at");
        }
        for (String form : List.of("yall'd've", "y'alld've", "y'all'dve")) {
            table.put(form, "y'all'd've");
        }
        table.put("somebody'd", "somebodyd");
        return Map.copyOf(table);
    }

    private static Map<String, String> typographic(Set<String> plainForms, Set<String> plainKeys) {
        Map<String, String> table = new HashMap<>();
        CONTRACTIONS.forEach((key, form) -> table.put(
                plainKeys.contains(key) ? key : key.replace('\'', '\u2019'),
                plainForms.contains(key) ? form : form.replace('\'', '\u2019')));
        return Map.copyOf(table);
    }
}
