package io.llava4j.app.serve;

import io.llava4j.app.serve.http.ApiException;
import io.llava4j.app.serve.http.Exchange;
import io.llava4j.app.serve.http.Routes;
import io.llava4j.app.serve.openai.OpenAiErrors;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.regex.Pattern;

/** The web page to chat with the model: static files of this program, read without a key. */
final class Page {
    private static final String FOLDER = "/io/llava4j/app/page/";
    private static final Pattern NAME = Pattern.compile("([a-z0-9-]+/)?[a-z0-9-]+\\.[a-z]+");
    private static final Map<String, String> TYPES = Map.of(
            "html", "text/html; charset=utf-8",
            "css", "text/css; charset=utf-8",
            "js", "text/javascript; charset=utf-8",
            "svg", "image/svg+xml",
            "png", "image/png",
            "jpg", "image/jpeg");
    private static final String POLICY =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:;"
                    + " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private Page() {}

    static void addTo(Routes routes) {
        routes.open("/", OpenAiErrors.INSTANCE, exchange -> send(exchange, "index.html"))
                .open("/{file}", OpenAiErrors.INSTANCE, exchange -> send(exchange, exchange.pathParameter("file")))
                .open(
                        "/examples/{file}",
                        OpenAiErrors.INSTANCE,
                        exchange -> send(exchange, "examples/" + exchange.pathParameter("file")));
    }

    private static void send(Exchange exchange, String name) {
        String type = TYPES.get(name.substring(name.lastIndexOf('.') + 1));
        byte[] content = type != null && NAME.matcher(name).matches() ? read(name) : null;
        if (type == null || content == null) {
            throw new ApiException(
                    ApiException.Kind.NOT_FOUND, "there is no such path; docs/serving.md lists the server's paths");
        }
        exchange.header("Content-Security-Policy", POLICY)
                .header("Referrer-Policy", "no-referrer")
                .header("Cache-Control", "no-cache")
                .send(200, type, content);
    }

    private static byte @org.jspecify.annotations.Nullable [] read(String name) {
        try (InputStream in = Page.class.getResourceAsStream(FOLDER + name)) {
            return in == null ? null : in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
