package io.llava4j.clients;

import io.llava4j.app.serve.TestServer;
import io.llava4j.app.serve.http.AccessRules;
import io.llava4j.app.serve.http.ApiKeys;
import io.llava4j.generate.schedule.Scheduler;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** Servers of this JVM that the tests of all clients ask; they run until it ends. */
final class Servers {
    /** What the servers call their tiny random model. */
    static final String MODEL = "tiny";

    /** Of {@link #LOCKED}. */
    static final String KEY = "secret";

    /** Tokens of an image of the model. */
    static final int IMAGE_TOKENS = 4;

    /** Answers everybody. */
    static final URI OPEN;

    /** Answers those who have the key. */
    static final URI LOCKED;

    /** Has no room for any request. */
    static final URI FULL;

    static {
        try {
            Path dir = Files.createTempDirectory(Path.of("target"), "servers");
            Path keys = Files.writeString(dir.resolve("keys"), KEY + "\n");
            OPEN = TestServer.start(folder(dir, "open")).uri("");
            LOCKED = TestServer.start(
                            folder(dir, "locked"), limits(64), new AccessRules(ApiKeys.read(keys), List.of(), true))
                    .uri("");
            FULL = TestServer.start(folder(dir, "full"), limits(-1), TestServer.OPEN)
                    .uri("");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Servers() {}

    private static Path folder(Path dir, String name) throws IOException {
        return Files.createDirectory(dir.resolve(name));
    }

    /** @param queue -1 leaves no place even for the one answer that is decoded */
    private static Scheduler.Limits limits(int queue) {
        return new Scheduler.Limits(1, queue, 0, 1 << 20, Duration.ofSeconds(60));
    }

    /** A PNG in base64. */
    static String png() {
        return TestServer.png(0xff0000);
    }

    /** The same as a data URL. */
    static String pngUrl() {
        return "data:image/png;base64," + png();
    }
}
