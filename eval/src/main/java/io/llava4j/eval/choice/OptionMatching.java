package io.llava4j.eval.choice;

import io.llava4j.eval.format.PythonText;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Which option an answer to MMBench means, by the rules of the codes that score it (docs/reference/evaluation.md#mmbench). */
public enum OptionMatching {
    /** VLMEvalKit as it is now. */
    VLMEVALKIT {
        @Override
        @Nullable
        public String infer(String answer, Map<String, String> options) {
            String letter = letter(answer, options);
            if (letter != null) {
                return letter;
            }
            int length = options.values().stream()
                    .mapToInt(o -> o.codePointCount(0, o.length()))
                    .sum();
            return lengthOf(answer) > 2 * length ? null : byText(answer, options);
        }

        private @Nullable String letter(String answer, Map<String, String> options) {
            if (answer.contains(API_FAILURE)) {
                return null;
            }
            if (REFUSALS.stream().anyMatch(answer::contains)) {
                return NONE;
            }
            List<String> tokens = tokens(answer);
            List<String> named =
                    options.keySet().stream().filter(tokens::contains).toList();
            if (named.size() == 1 && tokens.indexOf(named.getFirst()) > tokens.size() - 5) {
                return named.getFirst();
            }
            if (named.isEmpty() && tokens.contains(NONE)) {
                return NONE;
            }
            Matcher sentence = SENTENCE.matcher(answer);
            String letter = sentence.find() ? sentence.group(1).toUpperCase(Locale.ROOT) : "";
            return options.containsKey(letter) ? letter : null;
        }
    },
    /** VLMEvalKit of January 2024, nearer to LLaVA-1.5's time. */
    VLMEVALKIT_2024_01 {
        @Override
        @Nullable
        public String infer(String answer, Map<String, String> options) {
            if (!answer.contains(API_FAILURE)) {
                List<String> tokens = tokens(answer);
                List<String> named =
                        options.keySet().stream().filter(tokens::contains).toList();
                if (named.size() == 1) {
                    return named.getFirst();
                }
                if (named.isEmpty() && tokens.contains(NONE)) {
                    return NONE;
                }
            }
            return byText(answer, options);
        }
    },
    /** lmms-eval: letters A to E as words, then with one of a few marks around them. */
    LMMS_EVAL {
        @Override
        @Nullable
        public String infer(String answer, Map<String, String> options) {
            if (!answer.contains(API_FAILURE)) {
                List<String> words = PythonText.split(answer);
                List<String> named = FIVE.stream().filter(words::contains).toList();
                boolean perhapsArticle = words.contains("A") && words.size() > 3;
                if (named.size() == 1 && !perhapsArticle) {
                    return named.getFirst();
                }
                for (String[] marks : MARKS) {
                    List<String> marked = FIVE.stream()
                            .filter(letter -> words.contains(marks[0] + letter + marks[1]))
                            .toList();
                    if (marked.size() == 1) {
                        return marked.getFirst();
                    }
                }
            }
            return byText(answer, options);
        }
    },
    /** Like VLMEvalKit, but full-width letters and punctuation, Chinese commas and a left-over end mark do not count. */
    TOLERANT {
        @Override
        @Nullable
        public String infer(String answer, Map<String, String> options) {
            String plain = Normalizer.normalize(answer, Normalizer.Form.NFKC)
                    .replace("</s>", " ")
                    .replaceAll("[。、，！？：；（）]", " ");
            return VLMEVALKIT.infer(plain, options);
        }
    };

    /** The answer that no option is meant. */
    static final String NONE = "Z";

    private static final String API_FAILURE = "Failed to obtain answer via API";

    private static final List<String> REFUSALS = List.of(
            "Sorry, I can't help with images of people yet.",
            "I can't process this file.",
            "I'm sorry, but without the image provided",
            "Cannot determine the answer");

    /** Without a word boundary: {@code answer is apple} gives A. */
    private static final Pattern SENTENCE = Pattern.compile(
            "(?:correct\\s+)?answer\\s+is\\s+\\**([ABCD])\\**",
            Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CHARACTER_CLASS);

    private static final List<String> FIVE = List.of("A", "B", "C", "D", "E");

    private static final String[][] MARKS = {
        {"", "."},
        {"", ","},
        {"", ":"},
        {"", ")"},
        {"", ")."},
        {"(", ")"},
        {"(", ")."},
        {":", ""},
        {":", ","},
        {":", "."},
        {":", ")"},
        {":", ")."}
    };

    /**
     * The letter of the option meant.
     *
     * @param options by letter, in order
     * @return a letter, {@link #NONE}, or null if undecided
     */
    public abstract @Nullable String infer(String answer, Map<String, String> options);

    static List<String> tokens(String answer) {
        StringBuilder spaced = new StringBuilder(answer);
        for (int i = 0; i < spaced.length(); i++) {
            if (".()[],:;!*#{}".indexOf(spaced.charAt(i)) >= 0) {
                spaced.setCharAt(i, ' ');
            }
        }
        return PythonText.split(spaced.toString());
    }

    private static int lengthOf(String answer) {
        String lower = PythonText.lower(answer);
        return lower.codePointCount(0, lower.length());
    }

    /** The only option whose text the answer contains. */
    static @Nullable String byText(String answer, Map<String, String> options) {
        String lower = PythonText.lower(answer);
        List<String> contained = new ArrayList<>();
        options.forEach((letter, text) -> {
            if (lower.contains(PythonText.lower(text))) {
                contained.add(letter);
            }
        });
        return contained.size() == 1 ? contained.getFirst() : null;
    }
}
