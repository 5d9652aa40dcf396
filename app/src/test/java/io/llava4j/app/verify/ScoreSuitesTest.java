package io.llava4j.app.verify;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScoreSuitesTest {
    private static final Path GOLDENS = Path.of("../../shared/evalgold");

    @TempDir
    Path copy;

    @BeforeEach
    void goldensAreHere() {
        Assumptions.assumeTrue(
                Files.isDirectory(GOLDENS), () -> "reference data " + GOLDENS.toAbsolutePath() + " is not here");
    }

    @Test
    void everyCaseIsOk() {
        assertThat(run(new Vqav2Suite(), GOLDENS.resolve("vqav2")))
                .hasSize(20)
                .allSatisfy(c -> assertThat(c.status()).as(c.toString()).isEqualTo(CaseResult.Status.OK));
        assertThat(run(new PopeSuite(), GOLDENS.resolve("pope")))
                .hasSize(19)
                .allSatisfy(c -> assertThat(c.status()).as(c.toString()).isEqualTo(CaseResult.Status.OK));
    }

    @Test
    void eachSuiteKnowsItsFolderByContent() {
        assertThat(new Vqav2Suite().accepts(GOLDENS.resolve("pope"))).isFalse();
        assertThat(new PopeSuite().accepts(GOLDENS.resolve("vqav2"))).isFalse();
        assertThat(new PopeSuite().accepts(GOLDENS)).isFalse();
    }

    @Test
    void aChangedNumberFails() throws Exception {
        copy(GOLDENS.resolve("pope"), "0.8333333333333334", "0.8333333333333333");
        assertThat(run(new PopeSuite(), copy))
                .filteredOn(c -> c.status() == CaseResult.Status.FAIL)
                .extracting(CaseResult::name)
                .containsExactly("answers/adversarial (11)", "answers/popular (11)");
    }

    private void copy(Path from, String old, String replacement) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            files.filter(Files::isRegularFile).forEach(file -> {
                try {
                    Path target = copy.resolve(from.relativize(file).toString());
                    Files.createDirectories(target.resolveSibling(""));
                    Files.writeString(target, Files.readString(file).replace(old, replacement));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }

    private static List<CaseResult> run(Suite suite, Path dir) {
        assertThat(suite.accepts(dir)).isTrue();
        List<CaseResult> results = new ArrayList<>();
        suite.run(dir, results::add);
        return results;
    }
}
