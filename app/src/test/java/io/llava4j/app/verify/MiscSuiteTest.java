package io.llava4j.app.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MiscSuiteTest {
    private static final Path GOLDENS = Path.of("../../shared/goldens/misc");

    private final MiscSuite suite = new MiscSuite();

    @Test
    void everyReferenceCaseAgrees() {
        assumeTrue(Files.isDirectory(GOLDENS), "no reference data at " + GOLDENS);
        List<CaseResult> results = run(GOLDENS);

        assertThat(results).hasSize(8 + 5 + 2 + 6 + 7 + 23 + 5);
        assertThat(results).allMatch(r -> r.status() == CaseResult.Status.OK);
    }

    /** A suite that cannot fail proves nothing: one changed number must be found. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "boxes.json|text_padded_square\": \"[0.16,|text_padded_square\": \"[0.17,|boxes/0",
                "lr_schedule.json|\"1\": 1.5151515151515153e-05|\"1\": 1.5151515152515153e-05|lr_schedule/0",
                "sampler.json|\"expected_indices\": [7, 19,|\"expected_indices\": [19, 7,|sampler/mixed_even",
                "sampling_warpers.json|\"temperature\": 0.2|\"temperature\": 0.21|sampling_warpers/0",
            })
    void aChangedReferenceFails(String file, String from, String to, String label, @TempDir Path dir)
            throws IOException {
        assumeTrue(Files.isDirectory(GOLDENS), "no reference data at " + GOLDENS);
        String text = Files.readString(GOLDENS.resolve(file));
        int at = text.indexOf(from);
        assertThat(at).isNotNegative();
        Files.writeString(dir.resolve(file), text.substring(0, at) + to + text.substring(at + from.length()));

        assertThat(run(dir))
                .filteredOn(r -> r.status() == CaseResult.Status.FAIL)
                .extracting(CaseResult::name)
                .containsExactly(label);
    }

    @Test
    void missingFilesAreSkippedAndOtherFoldersRefused(@TempDir Path dir) throws IOException {
        assertThat(suite.accepts(dir)).isFalse();
        Files.writeString(
                dir.resolve("boxes.json"), "{\"parse_examples_own\": [{\"text\": \"none\", \"values\": null}, {}]}");

        assertThat(suite.accepts(dir)).isTrue();
        assertThat(run(dir))
                .extracting(CaseResult::status)
                .containsExactly(
                        CaseResult.Status.SKIPPED,
                        CaseResult.Status.SKIPPED,
                        CaseResult.Status.SKIPPED,
                        CaseResult.Status.OK,
                        CaseResult.Status.FAIL);
    }

    private List<CaseResult> run(Path dir) {
        List<CaseResult> results = new ArrayList<>();
        suite.run(dir, results::add);
        return results;
    }
}
