package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class InspectCommandTest {
    @TempDir
    Path dir;

    @Test
    void wholeModelIsToldByParts() {
        Path model = CliRun.reference("goldens/tiny-llava/mha/liuhaotian-fp32");
        CliRun run = CliRun.of("inspect", model, "--json", "--tensors");
        assertThat(run.code()).as(run.err()).isZero();
        JsonNode json = run.json();
        assertThat(json.path("complete").asBoolean()).isTrue();
        assertThat(json.path("parts").propertyNames()).containsExactly("tower", "connector", "decoder", "total");
        // 64 -> 96 -> 96 with biases
        JsonNode connector = json.path("parts").path("connector");
        assertThat(connector.path("parameters").asLong()).isEqualTo(64 * 96 + 96 + 96 * 96 + 96);
        assertThat(connector.path("bytes").asLong())
                .isEqualTo(4 * connector.path("parameters").asLong());
        assertThat(json.path("config").path("decoder").path("hiddenSize").asInt())
                .isEqualTo(96);
        assertThat(json.path("tensors"))
                .hasSize(json.path("parts").path("total").path("tensors").asInt());
        assertThat(CliRun.of("inspect", model).out())
                .contains("layout liuhaotian: 536,288 parameters")
                .containsPattern("connector +4 +15,552 +62,208  F32")
                .containsPattern("tokensPerImage +16");
    }

    @Test
    void connectorAloneIsToldToo() {
        CliRun run = CliRun.of("inspect", CliRun.reference("goldens/tiny-llava/mha/mm_projector.safetensors"));
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out()).contains("a connector").doesNotContain("decoder:");
    }

    @Test
    void whatIsNoModelIsOneSentence() throws IOException {
        Path file = dir.resolve("weights.safetensors");
        Files.writeString(file, "this is no safetensors file");
        for (Path path : new Path[] {dir.resolve("nowhere"), dir.resolve("weights.safetensors")}) {
            CliRun run = CliRun.of("inspect", path);
            assertThat(run.code()).isEqualTo(1);
            assertThat(run.err().lines()).hasSize(1);
            assertThat(run.err())
                    .startsWith("llava: ")
                    .contains(path.toString())
                    .doesNotContain("internal error");
            assertThat(run.out()).isEmpty();
        }
    }
}
