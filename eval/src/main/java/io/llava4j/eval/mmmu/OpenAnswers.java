package io.llava4j.eval.mmmu;

import io.llava4j.eval.format.PythonText;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Answers without options, as MMMU's {@code parse_open_response} and {@code eval_open} compare them. */
final class OpenAnswers {
    private static final List<String> INDICATORS =
            List.of("could be ", "so ", "is ", "thus ", "therefore ", "final ", "answer ", "result ");
    private static final Set<String> TRIVIAL = Set.of(":", ",", ".", "!", "?", ";", "'");
    private static final int DECIMALS = 2;

    /** Numbers with commas, in scientific notation, and plain ones. */
    private static final List<Pattern> NUMBERS = List.of(
            unicode("-?\\b\\d{1,3}(?:,\\d{3})+\\b"),
            unicode("-?\\d+(?:\\.\\d+)?[eE][+-]?\\d+"),
            unicode("-?(?:\\d+\\.\\d+|\\.\\d+|\\d+\\b)(?![eE][+-]?\\d+)(?![,\\d])"));

    private OpenAnswers() {}

    private static Pattern unicode(String regex) {
        return Pattern.compile(regex, Pattern.UNICODE_CHARACTER_CLASS);
    }

    /** A text or a number that is compared. */
    private sealed interface Value {
        /** Whether this part of an answer has a right answer in it. */
        boolean matches(Value truth);

        record Text(String text) implements Value {
            @Override
            public boolean matches(Value truth) {
                return truth instanceof Text part && text.contains(part.text());
            }
        }

        record Number(double value) implements Value {
            @Override
            public boolean matches(Value truth) {
                return truth instanceof Number other && value == other.value();
            }
        }
    }

    /** Whether one of the right answers is in what the model's answer says. */
    static boolean right(String answer, List<String> truths) {
        List<Value> right =
                truths.stream().flatMap(truth -> normalised(truth).stream()).toList();
        for (Value said : said(answer)) {
            for (Value truth : right) {
                if (said.matches(truth)) {
                    return true;
                }
            }
        }
        return false;
    }

    private static List<Value> said(String answer) {
        List<String> parts = keyParts(answer);
        List<String> all = new ArrayList<>(parts);
        for (String part : parts) {
            for (Pattern pattern : NUMBERS) {
                Matcher number = pattern.matcher(part);
                while (number.find()) {
                    all.add(number.group());
                }
            }
        }
        return all.stream().flatMap(part -> normalised(part).stream()).toList();
    }

    /** Of each line what follows a word that announces the answer, the shortest; the whole answer if no line has one. */
    private static List<String> keyParts(String answer) {
        String text = PythonText.lower(stripPeriods(PythonText.strip(answer)));
        List<String> parts = new ArrayList<>();
        String[] lines = text.split("\n", -1);
        for (int i = 0; i < lines.length; i++) {
            List<String> indicators = new ArrayList<>(INDICATORS);
            if (i == lines.length - 1) {
                indicators.add("="); // only the last line may be an equation
            }
            String shortest = "";
            for (String indicator : indicators) {
                int at = lines[i].lastIndexOf(indicator);
                if (at >= 0) {
                    String tail = PythonText.strip(lines[i].substring(at + indicator.length()));
                    shortest = shortest.isEmpty() || length(tail) < length(shortest) ? tail : shortest;
                }
            }
            if (!shortest.isEmpty() && !TRIVIAL.contains(shortest)) {
                parts.add(shortest);
            }
        }
        return parts.isEmpty() ? List.of(text) : parts;
    }

    private static String stripPeriods(String text) {
        int from = 0;
        while (from < text.length() && text.charAt(from) == '.') {
            from++;
        }
        return PythonText.stripTrailing(text.substring(from), '.');
    }

    /** A number rounded to two decimals, or small letters; a single character only beside a space, where it is a word. */
    private static List<Value> normalised(String text) {
        String stripped = PythonText.strip(text);
        OptionalDouble number = PythonText.parseFloat(stripped.replace(",", ""));
        if (number.isPresent()) {
            return List.of(new Value.Number(PythonText.round(number.getAsDouble(), DECIMALS)));
        }
        String lower = PythonText.lower(stripped);
        return length(lower) == 1
                ? List.of(new Value.Text(" " + lower), new Value.Text(lower + " "))
                : List.of(new Value.Text(lower));
    }

    private static int length(String text) {
        return text.codePointCount(0, text.length());
    }
}
