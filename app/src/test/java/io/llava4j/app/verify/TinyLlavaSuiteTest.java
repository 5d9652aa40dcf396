package io.llava4j.app.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.Converter;
import io.llava4j.checkpoint.Converter.Precision;
import io.llava4j.checkpoint.layout.CheckpointLayout;
import io.llava4j.tensor.ComputePrecision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TinyLlavaSuiteTest {
    private static final Path GOLDENS =
            Path.of("../../shared/goldens/tiny-llava").toAbsolutePath().normalize();

    @BeforeEach
    void goldensAreThere() {
        assumeTrue(Files.isDirectory(GOLDENS), () -> "reference data " + GOLDENS + " is not here");
    }

    @Test
    void everyLayoutAgreesWithTheReferenceInEveryTensor() {
        assertThat(new TinyLlavaSuite().accepts(GOLDENS)).isTrue();
        List<CaseResult> results = run(GOLDENS);
        assertThat(results)
                .filteredOn(r -> r.status() == CaseResult.Status.FAIL)
                .isEmpty();
        assertThat(results).filteredOn(r -> r.status() == CaseResult.Status.OK).hasSizeGreaterThanOrEqualTo(300);
        assertThat(results)
                .filteredOn(r -> r.status() == CaseResult.Status.OK && r.name().endsWith(" logits"))
                .extracting(CaseResult::name)
                .contains(
                        "gqa/hf-new-bf16 bf16_single logits",
                        "gqa/liuhaotian-withtower-bf16 bf16_single logits",
                        "mha/hf-old-fp32 truncated logits",
                        "mha/liuhaotian-bin-fp16 truncated logits",
                        "mha/liuhaotian-fp32 mixed_text_and_image logits");
    }

    /** The network that GPUs run, here on the CPU: the same bounds in fp32, those of 8 significant bits in bf16. */
    @ParameterizedTest
    @EnumSource(
            value = ComputePrecision.class,
            names = {"FP32", "BF16"})
    void theTensorEngineAgreesOnADevice(ComputePrecision precision) {
        List<CaseResult> results = new ArrayList<>();
        new TinyLlavaSuite("cpu", precision).run(GOLDENS, results::add);
        assertThat(results)
                .filteredOn(r -> r.status() == CaseResult.Status.FAIL)
                .isEmpty();
        assertThat(results).filteredOn(r -> r.status() == CaseResult.Status.OK).hasSizeGreaterThanOrEqualTo(200);
        assertThat(results)
                .extracting(CaseResult::name)
                .contains("mha/liuhaotian-fp32 mixed_text_and_image logits")
                .noneMatch(name -> name.contains("greedy"));
    }

    @Test
    void modelsThatTileImagesAgreeWithTheReference() {
        Path next = GOLDENS.resolveSibling("llava-next/tiny-llava-next");
        assumeTrue(Files.isDirectory(next), () -> "reference data " + next + " is not here");
        List<CaseResult> results = run(next);
        assertThat(results)
                .filteredOn(r -> r.status() == CaseResult.Status.FAIL)
                .isEmpty();
        assertThat(results).filteredOn(r -> r.status() == CaseResult.Status.OK).hasSizeGreaterThanOrEqualTo(200);
        assertThat(results)
                .filteredOn(r -> r.status() == CaseResult.Status.OK)
                .extracting(CaseResult::name)
                .contains(
                        "mha/liuhaotian-withtower-fp32 wide logits",
                        "mha/liuhaotian-withtower-fp32 odd merged_features_0",
                        "mha/hf-old-fp32 single_tile spliced_embeds",
                        "mha/hf-old-fp32 truncated_in_image spliced_embeds",
                        "mha/hf-new-bf16 bf16_wide merged_features_0",
                        "vocab32064/hf-old-fp16 wide greedy_ids");
    }

    @Test
    void filesInBothFormatsAreCompared(@TempDir Path dir) throws IOException {
        Path folder = dir.resolve("model");
        Path expected = Files.createDirectories(folder.resolve("expected"));
        Files.copy(GOLDENS.resolve("mha/expected/text_only.safetensors"), expected.resolve("text_only.safetensors"));
        for (String file : List.of("mm_projector.bin", "mm_projector.safetensors")) {
            Files.copy(GOLDENS.resolve("mha").resolve(file), folder.resolve(file));
        }
        String row = "model/mm_projector.bin as in safetensors (4)";
        assertThat(run(folder))
                .extracting(CaseResult::name, CaseResult::status)
                .contains(tuple(row, CaseResult.Status.OK));
        byte[] bytes = Files.readAllBytes(folder.resolve("mm_projector.safetensors"));
        bytes[bytes.length - 1] ^= 1;
        Files.write(folder.resolve("mm_projector.safetensors"), bytes);
        assertThat(run(folder))
                .extracting(CaseResult::name, CaseResult::status)
                .contains(tuple(row, CaseResult.Status.FAIL));
    }

    @Test
    void convertedModelsAreComparedBesideTheOthers(@TempDir Path dir) throws IOException {
        Path expected = Files.createDirectories(dir.resolve("model/expected"));
        Files.copy(GOLDENS.resolve("gqa/expected/single.safetensors"), expected.resolve("single.safetensors"));
        try (Checkpoint source = Checkpoint.open(GOLDENS.resolve("gqa/hf-old-fp32"))) {
            for (Precision precision : List.of(Precision.F32, Precision.Q4_0)) {
                Path target = dir.resolve("model/gguf-" + precision);
                Converter.convert(source, target, CheckpointLayout.GGUF, precision, (tensor, number, total) -> {});
            }
        }
        assertThat(run(dir.resolve("model")))
                .extracting(CaseResult::name, CaseResult::status)
                .contains(
                        tuple("model/gguf-F32 single logits", CaseResult.Status.OK),
                        tuple("model/gguf-F32 single greedy_ids", CaseResult.Status.OK),
                        tuple("model/gguf-Q4_0", CaseResult.Status.SKIPPED))
                .doesNotContain(tuple("model/gguf-F32", CaseResult.Status.SKIPPED));
    }

    /** GGUF keeps vectors in F32: rounded if the weights were 16-bit numbers before, exact otherwise. */
    @Test
    void aBf16FileOfFp32WeightsIsNoBf16Case(@TempDir Path dir) throws IOException {
        Path expected = Files.createDirectories(dir.resolve("model/expected"));
        Files.copy(
                GOLDENS.resolve("mha/expected/bf16_single.safetensors"), expected.resolve("bf16_single.safetensors"));
        for (String source : List.of("hf-old-fp32", "hf-old-bf16")) {
            try (Checkpoint checkpoint = Checkpoint.open(GOLDENS.resolve("mha").resolve(source))) {
                Path target = dir.resolve("model/of-" + source);
                Converter.convert(
                        checkpoint, target, CheckpointLayout.GGUF, Precision.BF16, (tensor, number, total) -> {});
            }
        }
        assertThat(run(dir.resolve("model")))
                .extracting(CaseResult::name, CaseResult::status)
                .contains(
                        tuple("model/of-hf-old-bf16 bf16_single logits", CaseResult.Status.OK),
                        tuple("model/of-hf-old-fp32", CaseResult.Status.SKIPPED))
                .doesNotContain(tuple("model/of-hf-old-fp32 bf16_single logits", CaseResult.Status.FAIL));
    }

    @Test
    void weightsOfAnotherModelFail(@TempDir Path dir) throws IOException {
        Path expected = Files.createDirectories(dir.resolve("model/expected"));
        for (String file : List.of("text_only.safetensors", "eos_stop.json")) {
            Files.copy(GOLDENS.resolve("mha/expected").resolve(file), expected.resolve(file));
        }
        Files.createSymbolicLink(dir.resolve("model/weights"), GOLDENS.resolve("gqa/hf-old-fp32"));
        assertThat(run(dir.resolve("model")))
                .filteredOn(r -> r.status() == CaseResult.Status.FAIL)
                .extracting(CaseResult::name)
                .contains(
                        "model/weights text_only logits",
                        "model/weights text_only loss",
                        "model/weights text_only greedy_ids",
                        "model/weights text_only greedy_top5_logprobs");
    }

    @Test
    void foldersThatCannotBeComparedAreNamed(@TempDir Path dir) throws IOException {
        Path expected = Files.createDirectories(dir.resolve("model/expected"));
        Files.copy(GOLDENS.resolve("mha/expected/text_only.safetensors"), expected.resolve("text_only.safetensors"));
        Files.createDirectories(dir.resolve("model/broken"));
        Files.writeString(dir.resolve("model/broken/config.json"), "{}");
        Files.writeString(dir.resolve("model/broken/model.safetensors"), "not weights");
        Files.createDirectories(dir.resolve("notes"));
        assertThat(run(dir))
                .extracting(CaseResult::name, CaseResult::status)
                .containsExactly(
                        tuple("model/broken", CaseResult.Status.FAIL), tuple("notes", CaseResult.Status.SKIPPED));
    }

    private static List<CaseResult> run(Path dir) {
        List<CaseResult> results = new ArrayList<>();
        new TinyLlavaSuite().run(dir, results::add);
        return results;
    }
}
