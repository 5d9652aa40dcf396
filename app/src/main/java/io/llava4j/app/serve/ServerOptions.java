package io.llava4j.app.serve;

import io.llava4j.app.serve.http.AccessRules;
import io.llava4j.app.serve.request.ImageLimits;
import java.net.InetAddress;
import java.time.Duration;

/**
 * How a server is reached and what it accepts.
 *
 * @param port 0 for any free one
 * @param access who may ask
 * @param images what images a request may have
 * @param timeout longest time from a request to the end of its answer
 */
public record ServerOptions(InetAddress address, int port, AccessRules access, ImageLimits images, Duration timeout) {
    /** Address that a server listens on unless it is told another. */
    public static final String HOST = "127.0.0.1";

    /** Its port. */
    public static final int PORT = 8080;

    /** Where the page of such a server is. */
    public static final String PAGE = "http://" + HOST + ":" + PORT + "/";

    /** Text of a request in bytes; far more than any model reads. */
    private static final long MAX_TEXT = 4L << 20;

    /** Largest body in bytes: all images in base64, and the text. */
    long maxBody() {
        return Math.min(1L << 30, (long) images.maxBytes() * images.maxCount() / 3 * 4 + MAX_TEXT);
    }
}
