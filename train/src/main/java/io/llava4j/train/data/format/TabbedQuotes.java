package io.llava4j.train.data.format;

import java.io.IOException;
import java.io.Reader;

/**
 * Text of a TSV file in which a quotation mark that begins a field, but does not enclose it, is an ordinary character:
 * {@code "Stop" is written where?} Such a field is enclosed in quotes, and its own are doubled, so that a CSV reader takes
 * it as it is. Fields that are enclosed, also over several lines, stay unchanged.
 */
final class TabbedQuotes extends Reader {
    private final Reader in;
    private String line = "";
    private int at;
    private boolean inField;

    TabbedQuotes(Reader in) {
        this.in = in;
    }

    @Override
    public int read(char[] buffer, int offset, int length) throws IOException {
        if (at == line.length()) {
            line = next();
            at = 0;
            if (line.isEmpty()) {
                return -1;
            }
        }
        int count = Math.min(length, line.length() - at);
        line.getChars(at, at + count, buffer, offset);
        at += count;
        return count;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }

    /** The next line with its end; empty at the end of the file. */
    private String next() throws IOException {
        StringBuilder read = new StringBuilder();
        for (int c = in.read(); c >= 0; c = in.read()) {
            read.append((char) c);
            if (c == '\n') {
                break;
            }
        }
        String text = read.toString();
        if (inField) {
            int close = closing(text, 0);
            if (close < 0) {
                return text;
            }
            inField = false;
            int tab = text.indexOf('\t', close);
            return tab < 0 ? text : text.substring(0, tab) + fields(text, tab);
        }
        return text.indexOf('"') < 0 ? text : fields(text, 0);
    }

    private String fields(String text, int from) {
        StringBuilder out = new StringBuilder();
        int start = from;
        while (start < text.length()) {
            int end = end(text, start);
            if (text.charAt(start) == '"') {
                int close = closing(text, start + 1);
                if (close < 0) {
                    inField = true;
                    return out.append(text, start, text.length()).toString();
                }
                if (isEnd(text, close + 1)) {
                    end = close + 1;
                    out.append(text, start, end);
                } else {
                    String field = text.substring(start, end);
                    out.append('"').append(field.replace("\"", "\"\"")).append('"');
                }
            } else {
                out.append(text, start, end);
            }
            if (end < text.length() && text.charAt(end) == '\t') {
                out.append('\t');
                start = end + 1;
            } else {
                return out.append(text, end, text.length()).toString();
            }
        }
        return out.toString();
    }

    /** Position of the quote that closes a field; -1 if it is not in the line. */
    private static int closing(String text, int from) {
        for (int i = text.indexOf('"', from); i >= 0; i = text.indexOf('"', i + 2)) {
            if (i + 1 == text.length() || text.charAt(i + 1) != '"') {
                return i;
            }
        }
        return -1;
    }

    private static int end(String text, int from) {
        int i = from;
        while (!isEnd(text, i)) {
            i++;
        }
        return i;
    }

    private static boolean isEnd(String text, int at) {
        return at >= text.length() || text.charAt(at) == '\t' || text.charAt(at) == '\n' || text.charAt(at) == '\r';
    }
}
