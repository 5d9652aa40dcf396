package io.llava4j.app.serve.request;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import io.llava4j.app.serve.http.ApiException;
import io.llava4j.app.serve.http.BodyBudget;
import io.llava4j.image.ExifOrientation;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What images that are fetched take of the server's memory. */
class ImageLoaderTest {
    private static final int KIB = 1 << 10;
    private static final int LIMIT = 8 * KIB;
    private static final int BUDGET = 40 * KIB;

    private final BodyBudget budget = new BodyBudget(BUDGET);
    private final AtomicInteger whileFetching = new AtomicInteger();
    private final AtomicInteger fetched = new AtomicInteger();
    private HttpServer files;
    private ImageLoader loader;

    @BeforeEach
    void start() throws IOException {
        files = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        files.createContext("/", exchange -> {
            fetched.incrementAndGet();
            whileFetching.set(left());
            byte[] file = new byte[exchange.getRequestURI().getPath().equals("/large") ? LIMIT + 1 : 3 * KIB];
            exchange.sendResponseHeaders(200, file.length);
            exchange.getResponseBody().write(file);
            exchange.close();
        });
        files.start();
        loader = new ImageLoader(
                new ImageLimits(LIMIT, 8, true),
                new RemoteImages(InetAddress::getAllByName, InetAddress::isLoopbackAddress, Duration.ofSeconds(10)),
                ExifOrientation.IGNORE);
    }

    @AfterEach
    void stop() {
        files.stop(0);
    }

    /** Most that another request can take now, in KiB. */
    private int left() {
        int most = 0;
        for (int size = 1; size <= BUDGET / KIB; size++) {
            try (BodyBudget.Share other = budget.share()) {
                other.grow((long) size * KIB);
                most = size;
            } catch (ApiException e) {
                return most;
            }
        }
        return most;
    }

    private ImageSource image(String path) {
        return ImageSource.ofUrl(
                "image", "http://127.0.0.1:" + files.getAddress().getPort() + path);
    }

    @Test
    void aDownloadIsChargedBeforeByItsBoundAndThenByItsSize() {
        try (BodyBudget.Share request = budget.share()) {
            request.grow(2 * KIB);
            loader.read(List.of(image("/a"), image("/b")), request);
            assertThat(whileFetching.get()).isEqualTo((BUDGET - 2 * LIMIT) / KIB - 2 - 3);
            assertThat(left()).isEqualTo(BUDGET / KIB - 2 - 2 * 3);
        }
        assertThat(left()).isEqualTo(BUDGET / KIB);
    }

    @Test
    void nothingIsFetchedThatHasNoRoom() {
        try (BodyBudget.Share other = budget.share();
                BodyBudget.Share request = budget.share()) {
            other.grow(BUDGET - 2 * LIMIT + KIB);
            assertThatThrownBy(() -> loader.read(List.of(image("/a")), request))
                    .isInstanceOf(ApiException.class)
                    .extracting(failure -> ((ApiException) failure).kind())
                    .isEqualTo(ApiException.Kind.OVERLOADED);
            assertThat(fetched).hasValue(0);
            assertThat(left()).isEqualTo(2 * LIMIT / KIB - 1);
        }
    }

    @Test
    void whatIsRefusedTakesNothing() {
        try (BodyBudget.Share request = budget.share()) {
            assertThatThrownBy(() -> loader.read(List.of(image("/large")), request))
                    .isInstanceOf(ApiException.class)
                    .hasMessageContaining("larger than the limit of " + LIMIT + " bytes");
            assertThatThrownBy(() -> loader.check(List.of(image("/no-image")), request))
                    .isInstanceOf(ApiException.class);
            assertThat(left()).isEqualTo(BUDGET / KIB);
        }
    }
}
