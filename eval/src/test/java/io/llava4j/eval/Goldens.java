package io.llava4j.eval;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reference data beside the checkout; tests that need it are skipped where it is not there. */
public final class Goldens {
    private static final Path SHARED = Path.of("../../shared");

    private Goldens() {}

    /** The file or folder, or a skipped test. */
    public static Path path(String name) {
        Path path = SHARED.resolve(name);
        Assumptions.assumeTrue(Files.exists(path), () -> "reference data " + path.toAbsolutePath() + " is not here");
        return path;
    }

    /** A parsed JSON file. */
    public static JsonNode json(Path file) {
        return JsonMapper.builder().build().readTree(file.toFile());
    }
}
