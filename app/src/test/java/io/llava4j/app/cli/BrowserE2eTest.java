package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/**
 * The web page in Chromium, and the clients of npm: runs the tests of {@code src/test/e2e} with Node, Playwright and this command's server. The
 * pictures that they take are in {@code target/e2e/pictures}. In the build with {@code -Pe2e} only.
 */
@Tag("e2e")
class BrowserE2eTest {
    private static final Path SOURCES = Path.of("src", "test", "e2e");
    private static final Path PAGE = Path.of("src", "main", "resources", "io", "llava4j", "app", "page");
    private static final List<String> BROWSERS = List.of("chromium", "chromium-browser", "google-chrome");

    @TempDir
    Path dir;

    @Test
    void thePageAndTheClientsOfNpmWork() throws IOException, InterruptedException {
        Optional<Path> browser =
                BROWSERS.stream().flatMap(name -> onPath(name).stream()).findFirst();
        assumeTrue(browser.isPresent(), "Chromium is not here: apt-get install chromium");
        assumeTrue(onPath("node").isPresent() && onPath("npm").isPresent(), "Node is not here: apt-get install npm");
        Path work = copied();
        assumeTrue(
                run(work, Map.of(), List.of("npm", "ci", "--no-audit", "--no-fund")) == 0,
                "the packages of npm cannot be installed; is there a network?");
        Path model = TinyModel.write(dir, 20_000);
        List<String> serve = List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-Djava.awt.headless=true",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "serve",
                "-m",
                model.toString());
        Path keys = Files.writeString(dir.resolve("keys.txt"), "secret-key\n");
        int code = run(
                work,
                Map.of(
                        "LLAVA_IMAGE",
                                PAGE.resolve("examples/koala.png")
                                        .toAbsolutePath()
                                        .toString(),
                        "LLAVA_PORT_3", String.valueOf(freePort()),
                        "LLAVA_SERVE", JsonMapper.builder().build().writeValueAsString(serve),
                        "LLAVA_CHROMIUM", browser.get().toString(),
                        "LLAVA_OUT", work.resolve("pictures").toString(),
                        "LLAVA_PORT", String.valueOf(freePort()),
                        "LLAVA_PORT_2", String.valueOf(freePort()),
                        "LLAVA_KEY_FILE", keys.toString()),
                List.of("node", "--test", "--test-reporter=spec"));
        assertThat(code).as(Files.readString(work.resolve("output.txt"))).isZero();
    }

    private static Path copied() throws IOException {
        Path work = Files.createDirectories(Path.of("target", "e2e").toAbsolutePath());
        try (Stream<Path> files = Files.list(SOURCES)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, work.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        return work;
    }

    private static int run(Path work, Map<String, String> environment, List<String> command)
            throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(work.toFile())
                .redirectErrorStream(true)
                .redirectOutput(work.resolve("output.txt").toFile());
        builder.environment().putAll(environment);
        return builder.start().waitFor();
    }

    private static Optional<Path> onPath(String name) {
        return Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                .map(folder -> Path.of(folder).resolve(name))
                .filter(Files::isExecutable)
                .findFirst();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
