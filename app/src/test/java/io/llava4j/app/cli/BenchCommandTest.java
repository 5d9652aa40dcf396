package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code bench tower} and {@code bench fidelity} take and refuse. */
class BenchCommandTest {
    @TempDir
    private static Path shared;

    private static Path model = Path.of("");

    @BeforeAll
    static void write() {
        model = TinyModel.write(shared);
    }

    private static CliRun tower(Object... more) {
        List<Object> line = new ArrayList<>(List.of("bench", "tower", "-m", model));
        line.addAll(List.of(more));
        return CliRun.of(line.toArray());
    }

    private static CliRun fidelity(Object... more) {
        List<Object> line = new ArrayList<>(List.of("bench", "fidelity", "--against", model));
        line.addAll(List.of(more));
        return CliRun.of(line.toArray());
    }

    private static void refused(CliRun run, String message) {
        assertThat(run.code()).as(run.err()).isEqualTo(2);
        assertThat(run.err()).contains(message);
        assertThat(run.out()).isEmpty();
    }

    @Test
    void theTowerIsMeasuredInTheGivenTypes() {
        CliRun run = tower("--types", "f32,bf16", "--rounds", 1);
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out())
                .contains("medians of 1 rounds", "as stored", "F32", "BF16")
                .doesNotContain("Q8_0");
    }

    @ParameterizedTest
    @CsvSource({"q4_0", "q4_k_m", "'f32,q4_0'"})
    void towersHaveNoTypeOfFourBits(String types) {
        refused(tower("--types", types), "--types takes f32, f16, bf16 and q8_0");
        refused(fidelity("--vision-tower-types", types), "--vision-tower-types takes f32, f16, bf16 and q8_0");
    }

    @ParameterizedTest
    @CsvSource({"f64", "8", "''"})
    void unknownTypesAreRefused(String type) {
        refused(tower("--types", type), "--types");
        refused(fidelity("--types", type), "--types");
        refused(fidelity("--vision-tower-types", type), "--vision-tower-types");
    }

    @ParameterizedTest
    @CsvSource({"0", "-1"})
    void roundsAreAtLeastOne(int rounds) {
        refused(tower("--rounds", rounds), "--rounds is 1 or more");
    }

    @Test
    void theTowerNeedsAModel() {
        CliRun run = CliRun.of("bench", "tower");
        assertThat(run.code()).isNotZero();
        assertThat(run.err()).contains("-m");
        CliRun missing = CliRun.of("bench", "tower", "-m", shared.resolve("none"));
        assertThat(missing.code()).isNotZero();
        assertThat(missing.err()).contains("none");
    }

    @Test
    void fidelityIsThatOfTheGivenTypes() {
        CliRun run = fidelity("--types", "f32,f16");
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out()).contains("mean KL, nats").doesNotContain("Q8_0");
        assertThat(run.out()).containsPattern("F32 +[0-9.]+ +0.00e\\+00 +100.00% +0.00e\\+00");
        assertThat(run.out()).containsPattern("F16 +[0-9.]+ +[1-9]");
    }

    @Test
    void fidelityNeedsAReference() {
        CliRun run = CliRun.of("bench", "fidelity");
        refused(run, "--against");
    }

    @Test
    void towerTypesNeedImages() {
        refused(fidelity("--vision-tower-types", "f16"), "--vision-tower-types needs --image");
    }

    @Test
    void filesAreNamedThatAreMissing() {
        CliRun image = fidelity("--types", "f16", "--image", shared.resolve("none.jpg"));
        assertThat(image.code()).isEqualTo(1);
        assertThat(image.err().strip().lines()).hasSize(1);
        assertThat(image.err()).contains("none.jpg");
        CliRun other = fidelity(shared.resolve("nowhere"));
        assertThat(other.code()).isNotZero();
        assertThat(other.err()).contains("nowhere");
    }
}
