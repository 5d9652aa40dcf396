package io.llava4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.CheckpointException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class QuantisedWeightsTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "'quantization_config':{'quant_method':'bitsandbytes','load_in_4bit':true}|bitsandbytes",
                "'quantization_config':{'load_in_8bit':true}|bitsandbytes",
                "'quantization_config':{'quant_method':'awq','bits':4}|awq",
                "'text_config':{'quantization_config':{'quant_method':'fp8'}}|fp8",
                "'quantization':{'group_size':64,'bits':4}|MLX",
                "'compression_config':{'format':'pack-quantized'}|compressed-tensors"
            })
    void theMethodIsNamed(String settings, String method) throws IOException {
        Files.writeString(folder.resolve("config.json"), "{" + settings.replace('\'', '"') + "}");
        assertThatThrownBy(() -> Checkpoint.open(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(
                        "config.json: the weights are quantised by " + method + ", which llava4j does not");
    }

    @Test
    void settingsThatQuantiseNothingAreNone() throws IOException {
        Files.writeString(
                folder.resolve("config.json"),
                "{\"quantization_config\":{\"load_in_4bit\":false,\"load_in_8bit\":false}}");
        assertThatCode(() -> QuantisedWeights.refuseConfigured(folder)).doesNotThrowAnyException();
    }

    @Test
    void tensorsAndFilesBesideTellToo() throws IOException {
        assertThatThrownBy(() -> QuantisedWeights.refuseStored(
                        folder, List.of("model.norm.weight", "model.layers.0.self_attn.q_proj.qweight")))
                .hasMessageContaining("AWQ or GPTQ");
        assertThatThrownBy(() -> QuantisedWeights.refuseStored(folder, List.of("a.weight", "a.SCB")))
                .hasMessageContaining("bitsandbytes");
        Files.writeString(folder.resolve("quantize_config.json"), "{}");
        assertThatThrownBy(() -> Checkpoint.open(folder)).hasMessageContaining("GPTQ");
    }

    @ParameterizedTest
    @CsvSource({"config.json", "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin"})
    void pointersAndPagesAreNamed(String name) throws IOException {
        if (!name.equals("config.json")) {
            Files.writeString(folder.resolve("config.json"), "{\"model_type\":\"llama\"}");
        }
        Path file = folder.resolve(name);
        Files.writeString(file, "version https://git-lfs.github.com/v1\noid sha256:00\nsize 12\n");
        assertThatThrownBy(() -> Checkpoint.open(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessage("%s is a Git LFS pointer, not the file itself; run `git lfs pull`", file);
        Files.writeString(file, "\n<!DOCTYPE html>\n<html><head><title>Not found</title>");
        assertThatThrownBy(() -> Checkpoint.open(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessage("%s is a web page, not the file itself; download the file again", file);
    }
}
