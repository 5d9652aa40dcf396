package io.llava4j.app.data;

import io.llava4j.checkpoint.AtomicFiles;
import io.llava4j.eval.report.Html;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Objects;

/** A page about a data set that needs nothing else: style sheet and pictures are inside, there is no script. */
final class DataPage {
    private final StringBuilder html = new StringBuilder();

    DataPage(String title, String introduction) {
        add(
                """
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
                </header>
                <main>
                """,
                Html.escape(title),
                resource(Html.class, "report.css"),
                resource(DataPage.class, "data.css"),
                Html.escape(title),
                Html.escape(introduction));
    }

    /** Adds HTML; {@link String#format} where there are arguments, which must be escaped. */
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

    /** Ends the page and writes it in one step. */
    void write(Path file) {
        add("</main>\n<footer><p>Written by llava4j.</p></footer>\n</body>\n</html>\n");
        AtomicFiles.write(file, html.toString().getBytes(StandardCharsets.UTF_8));
    }

    private static String resource(Class<?> owner, String name) {
        try (InputStream in = Objects.requireNonNull(owner.getResourceAsStream(name), name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
