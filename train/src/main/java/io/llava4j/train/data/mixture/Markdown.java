package io.llava4j.train.data.mixture;

import io.github.furstenheim.CopyDown;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Converts the HTML of shared conversations into Markdown and removes traces of the web page, as Vicuna did. */
final class Markdown {
    /** An answer saved as HTML begins with a tag; anything else is text, which may contain a "<". */
    private static final Pattern HTML =
            Pattern.compile("(?is)\\s*<(?:div|p|ol|ul|pre|h[1-6]|blockquote|table)\\b[^>]*>.*</.*");

    private static final Pattern WRAPPERS = Pattern.compile("(?is)</?(?:div|span)\\b[^>]*>");
    private static final Pattern CODE = Pattern.compile("(?s)```\\s*([^\\n`]*?)(?:Copy code)+(.+?)\\s*?```");
    private static final Pattern EMPTY_CODE = Pattern.compile("```[^`]*?Copy\\s+code\\s*```");
    private static final Pattern PAGE_NUMBER = Pattern.compile("^\\d+ / \\d+");
    private static final Pattern COUNTER = Pattern.compile("Copy\\d+ chars / \\d+ words");

    private Markdown() {}

    /** The text as Markdown; of text that is not HTML only white space around it is removed. */
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
