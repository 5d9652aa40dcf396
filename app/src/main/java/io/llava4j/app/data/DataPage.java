package io.llava4j.app.data;

import io.llava4j.eval.report.Html;
import io.llava4j.eval.report.HtmlPage;
import io.llava4j.io.AtomicFiles;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Objects;

/** An HTML page about a data set, with the head and style of all reports. */
final class DataPage {
    private final StringBuilder html = new StringBuilder();

    DataPage(String title, String introduction) {
        html.append(HtmlPage.head(title, introduction, styleSheet())).append("</header>\n<main>\n");
    }

    /** Adds HTML, formatted with {@link String#format} if there are arguments, which must be escaped. */
    DataPage add(String markup, Object... arguments) {
        html.append(arguments.length == 0 ? markup : markup.formatted(arguments));
        return this;
    }

    void section(String title) {
        add("<section>\n<h2>%s</h2>\n", Html.escape(title));
    }

    void endSection() {
        add("</section>\n");
    }

    /** Ends the page and writes it atomically. */
    void write(Path file) {
        html.append(HtmlPage.foot("Written by llava4j."));
        AtomicFiles.write(file, html.toString().getBytes(StandardCharsets.UTF_8));
    }

    private static String styleSheet() {
        try (InputStream in = Objects.requireNonNull(DataPage.class.getResourceAsStream("data.css"))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
