package io.llava4j.app.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingSuiteTest {
    private static final Path GOLDENS =
            Path.of("../../shared/goldens").toAbsolutePath().normalize();

    @BeforeEach
    void goldensAreThere() {
        assumeTrue(
                Files.isDirectory(GOLDENS.resolve("training")) && Files.isDirectory(GOLDENS.resolve("tiny-llava")),
                () -> "reference data " + GOLDENS + "/training is not here");
    }

    @Test
    void bothStagesTrainAsTheReferenceDoes() {
        assertThat(new TrainingSuite().accepts(GOLDENS.resolve("training"))).isTrue();
        List<CaseResult> results = run(GOLDENS.resolve("training"));
        assertThat(results).allMatch(r -> r.status() == CaseResult.Status.OK).hasSizeGreaterThanOrEqualTo(90);
        assertThat(results)
                .extracting(CaseResult::name)
                .contains(
                        "mha/stage1_T10 loss (10 steps)",
                        "mha/stage2_T10 grad_step0 (8)",
                        "mha/stage2_T10_clip1 param_after_10 (5)",
                        "mha/stage2_T10_wd0.1_projlr2e-4 no_decay_parameters (9)",
                        "mha/stage2_T5_accum2 gradient checkpointing changes (5 steps)",
                        "mha/stage2_T5_accum2 param_l2_delta_5 (34)",
                        "gqa/stage2_grad grad_norm_per_tensor_step0 (34)");
    }

    @Test
    void aRunWithOtherSettingsThanRecordedFails(@TempDir Path dir) throws IOException {
        Files.createDirectories(dir.resolve("tiny-llava"));
        Files.createSymbolicLink(dir.resolve("tiny-llava/mha"), GOLDENS.resolve("tiny-llava/mha"));
        Path folder = Files.createDirectories(dir.resolve("training/mha"));
        Path source = GOLDENS.resolve("training/mha");
        Files.copy(source.resolve("batches.safetensors"), folder.resolve("batches.safetensors"));
        Files.copy(source.resolve("stage1_T10.safetensors"), folder.resolve("wrong.safetensors"));
        String json = Files.readString(source.resolve("stage1_T10.json"));
        assertThat(json).contains("\"weight_decay\": 0.0");
        Files.writeString(folder.resolve("wrong.json"), json.replace("\"weight_decay\": 0.0", "\"weight_decay\": 0.1"));
        assertThat(run(folder))
                .filteredOn(r -> r.status() == CaseResult.Status.FAIL)
                .extracting(CaseResult::name)
                .contains("mha/wrong param_after_10 (4)", "mha/wrong param_l2_delta_10 (4)")
                .doesNotContain("mha/wrong grad_step0 (4)");
    }

    @Test
    void runsWithoutTheirStartWeightsAreSkipped(@TempDir Path dir) throws IOException {
        Path folder = Files.createDirectories(dir.resolve("training/mha"));
        for (String file : List.of("batches.safetensors", "stage1_T10.json")) {
            Files.copy(GOLDENS.resolve("training/mha").resolve(file), folder.resolve(file));
        }
        assertThat(run(dir.resolve("training"))).singleElement().satisfies(result -> {
            assertThat(result.status()).isEqualTo(CaseResult.Status.SKIPPED);
            assertThat(result.detail()).contains("start weights");
        });
    }

    private static List<CaseResult> run(Path dir) {
        List<CaseResult> results = new ArrayList<>();
        new TrainingSuite().run(dir, results::add);
        return results;
    }
}
