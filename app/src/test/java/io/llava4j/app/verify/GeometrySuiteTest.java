package io.llava4j.app.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GeometrySuiteTest {
    private static final String CASE = """
            {"sets": [{"name": "s", "tile": 2, "cells_per_side": 1, "pinpoints": [[4, 2], [2, 4]], "cases": [{
              "size": [4, 2], "best_resolution": [4, 2], "grid": [2, 1], "resized_box": [0, 0, 4, 2],
              "rows": [0, 1], "columns": [0, 2], "merged_order": [0, 1, 2, -1], "image_tokens": %d}]}]}
            """;

    @TempDir
    Path dir;

    private List<CaseResult> results(int tokens) throws IOException {
        Files.writeString(dir.resolve("geometry.json"), CASE.formatted(tokens));
        List<CaseResult> results = new ArrayList<>();
        new VerifyRunner(List.of(new GeometrySuite())).run(dir, results::add);
        return results;
    }

    @Test
    void aSizeTiledAsRecordedPasses() throws IOException {
        assertThat(results(4))
                .singleElement()
                .satisfies(result -> assertThat(result.status()).isEqualTo(CaseResult.Status.OK));
    }

    @Test
    void aDifferenceIsNamed() throws IOException {
        assertThat(results(5)).singleElement().satisfies(result -> {
            assertThat(result.status()).isEqualTo(CaseResult.Status.FAIL);
            assertThat(result.toString()).contains("image_tokens is 4, not 5");
        });
    }

    /** Unlike those of other suites: there may be images and models beside the geometry. */
    @Test
    void subfoldersAreLeftToOtherSuites() throws IOException {
        Files.createDirectory(dir.resolve("else"));
        assertThat(results(4))
                .extracting(CaseResult::status)
                .containsExactly(CaseResult.Status.OK, CaseResult.Status.SKIPPED);
    }

    @Test
    void aDamagedFileIsNamed() throws IOException {
        Files.writeString(dir.resolve("geometry.json"), "{");
        assertThatThrownBy(() -> new GeometrySuite().run(dir, result -> {}))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("geometry.json is not readable JSON");
    }
}
