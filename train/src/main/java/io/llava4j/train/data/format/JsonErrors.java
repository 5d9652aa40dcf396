package io.llava4j.train.data.format;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;

/** Says in plain words what is wrong with JSON. */
final class JsonErrors {
    private static final Pattern DUPLICATE =
            Pattern.compile("Duplicate .*?(?:property|field|key) ['\"`]([^'\"`]*)['\"`].*");
    private static final Pattern CHARACTER =
            Pattern.compile("Unexpected (?:character \\('(.)' \\(code|close marker '(.)').*");
    private static final Pattern WORD = Pattern.compile("Unrecognized token '([^']{1,40}).*");
    private static final int LONGEST = 160;

    private JsonErrors() {}

    /** One clause without the names of the parser's own settings. */
    static String of(JacksonException e) {
        String text = e.getOriginalMessage().lines().findFirst().orElse("unreadable");
        Matcher duplicate = DUPLICATE.matcher(text);
        if (duplicate.matches()) {
            return "the key '%s' stands twice in one object".formatted(duplicate.group(1));
        }
        Matcher character = CHARACTER.matcher(text);
        if (character.matches()) {
            String found = character.group(1) == null ? character.group(2) : character.group(1);
            return found.equals("'")
                    ? "keys or texts are in single quotes, as Python prints them, not in double quotes"
                    : "the character %s is not expected here".formatted(found);
        }
        Matcher word = WORD.matcher(text);
        if (word.matches()) {
            return "the word '%s' is not JSON".formatted(word.group(1));
        }
        if (text.startsWith("Unexpected end-of-input")) {
            return "it ends before it is complete";
        }
        if (text.contains("CTRL-CHAR")) {
            return "a text contains a line break or another control character, which JSON writes as \\n";
        }
        if (text.startsWith("Invalid UTF-8")) {
            return "it is not UTF-8";
        }
        if (text.contains("nesting depth")) {
            return "it is nested too deeply";
        }
        if (text.startsWith("Trailing token")) {
            return "more follows after the record";
        }
        String plain = text.replaceAll(" \\((?:code \\d|for|start marker|bound as).*|, from [^)]*|`", "");
        return plain.length() <= LONGEST ? plain : plain.substring(0, LONGEST) + "…";
    }
}
