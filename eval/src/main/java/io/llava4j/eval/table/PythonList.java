package io.llava4j.eval.table;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A list of strings as Python writes it, such as {@code ['a', "it's", '\u00e9']}. Data sets keep lists in text columns this way and
 * official codes read them by {@code ast.literal_eval}.
 */
final class PythonList {
    private final String text;
    private int at;

    private PythonList(String text) {
        this.text = text;
    }

    /** The strings; numbers among them as they are written. Null if the text is no such list. */
    static @Nullable List<String> parse(String text) {
        String trimmed = text.strip();
        return trimmed.startsWith("[") && trimmed.endsWith("]") ? new PythonList(trimmed).list() : null;
    }

    private @Nullable List<String> list() {
        List<String> strings = new ArrayList<>();
        at = 1;
        skipSpace();
        while (text.charAt(at) != ']') {
            String element = element();
            if (element == null) {
                return null;
            }
            strings.add(element);
            skipSpace();
            if (text.charAt(at) == ',') {
                at++;
                skipSpace();
            } else if (text.charAt(at) != ']') {
                return null;
            }
        }
        return at == text.length() - 1 ? strings : null;
    }

    private @Nullable String element() {
        char quote = text.charAt(at);
        if (quote != '\'' && quote != '"') {
            int from = at;
            while (at < text.length() && ",] \t\r\n".indexOf(text.charAt(at)) < 0) {
                at++;
            }
            String bare = text.substring(from, at);
            return bare.matches("[-+]?[0-9][0-9_.eE+-]*|None|True|False") ? bare : null;
        }
        at++;
        StringBuilder string = new StringBuilder();
        while (at < text.length() - 1) {
            char c = text.charAt(at++);
            if (c == quote) {
                return string.toString();
            }
            if (c == '\\') {
                escape(string);
            } else {
                string.append(c);
            }
        }
        return null;
    }

    /** Python keeps the backslash of an escape that it does not know. */
    private void escape(StringBuilder string) {
        char c = text.charAt(at++);
        switch (c) {
            case '\n' -> {}
            case '\\', '\'', '"' -> string.append(c);
            case 'n' -> string.append('\n');
            case 't' -> string.append('\t');
            case 'r' -> string.append('\r');
            case 'a' -> string.append('\u0007');
            case 'b' -> string.append('\b');
            case 'f' -> string.append('\f');
            case 'v' -> string.append('\u000B');
            case 'x' -> code(string, c, 2);
            case 'u' -> code(string, c, 4);
            case 'U' -> code(string, c, 8);
            default -> {
                if (c >= '0' && c <= '7') {
                    int from = at - 1;
                    while (at < from + 3 && text.charAt(at) >= '0' && text.charAt(at) <= '7') {
                        at++;
                    }
                    string.append((char) Integer.parseInt(text.substring(from, at), 8));
                } else {
                    string.append('\\').append(c);
                }
            }
        }
    }

    private void code(StringBuilder string, char kind, int digits) {
        String hex = text.substring(at, Math.min(text.length(), at + digits));
        if (hex.matches("[0-9a-fA-F]{%d}".formatted(digits))) {
            string.appendCodePoint(Integer.parseInt(hex, 16));
            at += digits;
        } else {
            string.append('\\').append(kind);
        }
    }

    private void skipSpace() {
        while (Character.isWhitespace(text.charAt(at))) {
            at++;
        }
    }
}
