package io.llava4j.eval.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/**
 * The frame of every report. Style sheet, charts and images are inside the page; it has no script, and its content security
 * policy forbids any. Light or dark follows the reader's system.
 */
public final class HtmlPage {
    private HtmlPage() {}

    /** The start of the page, up to the content of its header. */
    static String head(String title, String introduction) {
        return head(title, introduction, "");
    }

    /**
     * The start of the page, up to the content of its header.
     *
     * @param style the page's own rules, added to those of every report
     */
    public static String head(String title, String introduction, String style) {
        return """
                <!doctype html>
                <html lang="en">
                <head>
                <meta charset="utf-8">
                <meta name="viewport" content="width=device-width, initial-scale=1">
                <meta name="color-scheme" content="light dark">
                <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
                <title>%s</title>
                <style>
                %s%s</style>
                </head>
                <body>
                <header>
                <h1>%s</h1>
                <p class="lead">%s</p>
                """.formatted(Html.escape(title), styleSheet(), style, Html.escape(title), Html.escape(introduction));
    }

    /** The end of the page. */
    public static String foot(String footer) {
        return "</main>\n<footer><p>%s</p></footer>\n</body>\n</html>\n".formatted(Html.escape(footer));
    }

    private static String styleSheet() {
        try (InputStream in = Objects.requireNonNull(HtmlPage.class.getResourceAsStream("report.css"))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
