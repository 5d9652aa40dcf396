package io.llava4j.app.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PreprocessSuiteTest {
    private static final Path GOLDENS = Path.of("../../shared/goldens/preprocess");

    private final PreprocessSuite suite = new PreprocessSuite();

    @BeforeAll
    static void needsGoldens() {
        assumeTrue(Files.isDirectory(GOLDENS), "reference data are not here: " + GOLDENS);
    }

    @Test
    void everyReferenceCaseAgrees() {
        List<CaseResult> results = run(GOLDENS);
        // 30 images, each decoded and then resized and normalised four ways; one image that must be refused.
        assertThat(results).hasSize(30 * (1 + 4 * 2) + 1);
        assertThat(results).allMatch(result -> result.status() == CaseResult.Status.OK);
    }

    @Test
    void changedHashesAndAWrongRefusalFail(@TempDir Path dir) throws IOException {
        Path images = Files.createDirectory(dir.resolve("images"));
        Files.copy(GOLDENS.resolve("images/one_2x2.png"), images.resolve("image.bin"));
        Files.writeString(dir.resolve("expected.json"), """
                {"images": [{"file": "image.bin", "rgb_sha256": "00",
                             "pad_14": {"resized_rgb_hwc_sha256": "00"}},
                            {"file": "absent.png", "rgb_sha256": "00"}],
                 "image.bin": {"pillow_raises": "yes"}, "absent.jpg": {"pillow_raises": "yes"}}
                """);
        assertThat(suite.accepts(dir)).isTrue();
        assertThat(run(dir))
                .extracting(result -> result.name() + " " + result.status())
                .containsExactly(
                        "image.bin decode FAIL",
                        "image.bin pad_14 resized FAIL",
                        "image.bin pad_14 pixel_values SKIPPED",
                        "absent.png decode FAIL",
                        "image.bin refused FAIL",
                        "absent.jpg refused FAIL");
    }

    @Test
    void otherFoldersAreNotAccepted(@TempDir Path dir) {
        assertThat(suite.accepts(dir)).isFalse();
    }

    private List<CaseResult> run(Path dir) {
        List<CaseResult> results = new ArrayList<>();
        suite.run(dir, results::add);
        return results;
    }
}
