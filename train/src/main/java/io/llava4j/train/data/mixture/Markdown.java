package io.llava4j.train.data.mixture;

import io.github.furstenheim.CopyDown;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Turns the HTML of shared conversations into Markdown and takes away what a web page left in it, as Vicuna did. */
final class Markdown {
    /** Answers were saved as HTML from their first character on; anything else is text, and may well hold a "<". */
    private static final Pattern HTML =
            Pattern.compile("(?is)\\s*<(?:div|p|ol|ul|pre|h[1-6]|blockquote|table)\\b[^>]*>.*</.*");

    private static final Pattern WRAPPERS = Pattern.compile("(?is)</?(?:div|span)\\b[^>]*>");
    private static final Pattern CODE = Pattern.compile("(?s)```\\s*([^\\n`]*?)(?:Copy code)+(.+?)\\s*?```");
    private static final Pattern EMPTY_CODE = Pattern.compile("```[^`]*?Copy\\s+code\\s*```");
    private static final Pattern PAGE_NUMBER = Pattern.compile("^\\d+ / \\d+");
    private static final Pattern COUNTER = Pattern.compile("Copy\\d+ chars / \\d+ words");

    private Markdown() {}

    /** The text as Markdown; text that is no HTML stays as it is, but for white space around it. */
    static String of(String text) {
        String markdown = text;
        if (HTML.matcher(text).matches()) {
            markdown = new CopyDown().convert(WRAPPERS.matcher(text).replaceAll(""));
        }
        markdown = markdown.strip();
        if (markdown.contains("Copy")) {
            markdown = EMPTY_CODE.matcher(markdown).replaceAll("");
            markdown = CODE.matcher(markdown).replaceAll("```$1\n$2\n```");
            markdown = COUNTER.matcher(markdown).replaceAll("");
        }
        Matcher page = PAGE_NUMBER.matcher(markdown);
        if (page.find()) {
            markdown = markdown.substring(page.end());
        }
        return markdown.replace("\n\n\n", "\n").strip();
    }
}
