package io.llava4j.app.serve.request;

import io.llava4j.app.serve.http.ApiException;
import java.util.Locale;

/** An image as a request gives it; nothing is decoded or fetched yet. */
public sealed interface ImageSource {
    /** Path of the image in the request. */
    String where();

    /** The file itself, in base64. */
    record Inline(String where, String base64) implements ImageSource {}

    /** The address of a file. */
    record Remote(String where, String url) implements ImageSource {}

    /**
     * The image of a data URL or an address.
     *
     * @throws ApiException if it is neither
     */
    static ImageSource ofUrl(String where, String url) {
        String scheme = url.substring(0, Math.min(url.length(), 8)).toLowerCase(Locale.ROOT);
        if (scheme.startsWith("data:")) {
            int comma = url.indexOf(',');
            String type = comma < 0 ? "" : url.substring(5, comma).toLowerCase(Locale.ROOT);
            if (!type.endsWith(";base64") || !type.startsWith("image/")) {
                throw ApiException.invalid(
                        where, where + " is no data URL of an image; write data:image/png;base64, and then the file");
            }
            return new Inline(where, url.substring(comma + 1));
        }
        if (scheme.startsWith("http://") || scheme.startsWith("https://")) {
            return new Remote(where, url);
        }
        throw ApiException.invalid(where, where + " must begin with data:, http:// or https://");
    }
}
