package io.llava4j.app.serve.request;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import io.llava4j.DataException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RemoteImagesTest {
    private static final byte[] FILE = {1, 2, 3, 4};

    private static HttpServer files;

    @BeforeAll
    static void start() throws IOException {
        files = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        serve("/file", 200, null);
        serve("/missing", 404, null);
        serve("/moved", 302, "/file");
        serve("/loop", 302, "/loop");
        serve("/inside", 302, "http://169.254.169.254/latest");
        serve("/scheme", 302, "file:///etc/passwd");
        files.start();
    }

    @AfterAll
    static void stop() {
        files.stop(0);
    }

    private static void serve(String path, int status, @Nullable String location) {
        files.createContext(path, exchange -> {
            if (location != null) {
                exchange.getResponseHeaders().set("Location", location);
            }
            exchange.sendResponseHeaders(status, FILE.length);
            exchange.getResponseBody().write(FILE);
            exchange.close();
        });
    }

    private static byte[] fetch(String path, int maxBytes) {
        return new RemoteImages(InetAddress::getAllByName, InetAddress::isLoopbackAddress, Duration.ofSeconds(10))
                .fetch("http://127.0.0.1:" + files.getAddress().getPort() + path, maxBytes);
    }

    @Test
    void filesAndRedirects() {
        assertThat(fetch("/file", 100)).isEqualTo(FILE);
        assertThat(fetch("/moved", 100)).isEqualTo(FILE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/missing", "/loop", "/inside", "/scheme"})
    void whatIsNoFileOfAnAllowedAddressIsRefused(String path) {
        assertThatThrownBy(() -> fetch(path, 100)).isInstanceOf(DataException.class);
    }

    @Test
    void largeFilesAreRefused() {
        assertThatThrownBy(() -> fetch("/file", 3))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("limit of 3 bytes");
    }

    @Test
    void thisMachineIsNotPublic() {
        String address = "http://localhost:" + files.getAddress().getPort() + "/file";
        assertThatThrownBy(() -> new RemoteImages().fetch(address, 100))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("not on the public internet");
    }

    /** A name is resolved once for each connection, and the connection goes to the address that was checked. */
    @Test
    void theCheckedAddressIsTheOneThatIsAsked() {
        List<String> asked = new ArrayList<>();
        RemoteImages.Resolver names = host -> {
            asked.add(host);
            return new InetAddress[] {InetAddress.getLoopbackAddress()};
        };
        int port = files.getAddress().getPort();
        RemoteImages images = new RemoteImages(names, InetAddress::isLoopbackAddress, Duration.ofSeconds(10));
        assertThat(images.fetch("http://image.example:" + port + "/moved", 100)).isEqualTo(FILE);
        assertThat(asked).containsExactly("image.example", "image.example");
    }

    /** One private address among public ones is enough to refuse the name. */
    @Test
    void everyAddressOfANameMustBePublic() {
        RemoteImages.Resolver names =
                host -> new InetAddress[] {InetAddress.getByName("93.184.216.34"), InetAddress.getByName("127.0.0.1")};
        RemoteImages images = new RemoteImages(names, PublicAddresses::isPublic, Duration.ofSeconds(10));
        assertThatThrownBy(() -> images.fetch("http://both.example/a.png", 100))
                .isInstanceOf(DataException.class)
                .hasMessage("the host both.example is not on the public internet");
    }

    /** A host that is silent, or sends a byte now and then, does not hold a request for longer than the time for one image. */
    @Test
    void timeIsBounded() throws IOException {
        try (ServerSocket silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            RemoteImages images =
                    new RemoteImages(InetAddress::getAllByName, InetAddress::isLoopbackAddress, Duration.ofMillis(200));
            assertThatThrownBy(() -> images.fetch("http://127.0.0.1:" + silent.getLocalPort() + "/a.png", 100))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("could not be fetched");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "127.0.0.1",
                "10.1.2.3",
                "172.16.0.1",
                "192.168.1.1",
                "169.254.169.254",
                "100.64.0.1",
                "0.0.0.0",
                "192.0.2.1",
                "198.18.0.1",
                "224.0.0.1",
                "240.0.0.1",
                "255.255.255.255",
                "::1",
                "::",
                "fe80::1",
                "fc00::1",
                "fd00::1",
                "2001:db8::1",
                "2002:7f00:1::",
                "64:ff9b::7f00:1",
                "::ffff:127.0.0.1",
                "ff02::1",
                "2001::1"
            })
    void specialAddresses(String address) throws UnknownHostException {
        assertThat(PublicAddresses.isPublic(InetAddress.getByName(address))).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::1"})
    void publicAddresses(String address) throws UnknownHostException {
        assertThat(PublicAddresses.isPublic(InetAddress.getByName(address))).isTrue();
    }
}
