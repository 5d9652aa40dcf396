package io.llava4j.eval.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Objects;

/**
 * The frame of every report: style sheet, charts and images are inside the page, there is no script, and a content
 * security policy forbids any. Light and dark follow the reader's system.
 */
public final class HtmlPage {
    private HtmlPage() {}

    /** Everything up to the header's content, which goes on behind it. */
    static String head(String title, String introduction) {
        return head(title, introduction, "");
    }

    /**
     * Everything up to the header's content, which goes on behind it.
     *
     * @param style rules of the page's own, after those of every report
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

    /** An image with its question, as an item of a list of class {@code cards}. */
    static String card(ReportSample sample) {
        boolean right = sample.credit() >= 0.5;
        String blind = sample.blindAnswer().isEmpty()
                ? ""
                : "<div><dt>blind</dt><dd>%s</dd></div>".formatted(Html.escape(sample.blindAnswer()));
        return """
                <li class="card %s">
                <img alt="Image for the question: %s" src="data:%s;base64,%s">
                <p class="question">%s</p>
                <dl><div class="answer"><dt>model</dt><dd>%s <span class="verdict">%s</span></dd></div>
                <div><dt>truth</dt><dd>%s</dd></div>%s</dl>
                </li>
                """.formatted(
                        right ? "right" : "wrong",
                        Html.escape(sample.question()),
                        sample.mediaType(),
                        Base64.getEncoder().encodeToString(sample.image()),
                        Html.escape(sample.question()),
                        sample.answer().isBlank() ? "<i>nothing</i>" : Html.escape(sample.answer()),
                        right ? "✓ right" : "✗ wrong",
                        Html.escape(sample.truth()),
                        blind);
    }

    private static String styleSheet() {
        try (InputStream in = Objects.requireNonNull(HtmlPage.class.getResourceAsStream("report.css"))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
