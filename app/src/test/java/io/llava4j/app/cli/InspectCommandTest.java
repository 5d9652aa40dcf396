package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.app.inspect.MemoryEstimate;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.RandomCheckpoint;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.tensor.format.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

class InspectCommandTest {
    @TempDir
    Path dir;

    @Test
    void describesAWholeModelByParts() {
        Path model = CliRun.reference("goldens/tiny-llava/mha/liuhaotian-fp32");
        CliRun run = CliRun.of("inspect", model, "--json", "--tensors");
        assertThat(run.code()).as(run.err()).isZero();
        JsonNode json = run.json();
        assertThat(json.path("complete").asBoolean()).isTrue();
        assertThat(json.path("parts").propertyNames())
                .containsExactly("visionTower", "projector", "languageModel", "total");
        // 64 -> 96 -> 96 with biases
        JsonNode projector = json.path("parts").path("projector");
        assertThat(projector.path("parameters").asLong()).isEqualTo(64 * 96 + 96 + 96 * 96 + 96);
        assertThat(projector.path("bytes").asLong())
                .isEqualTo(4 * projector.path("parameters").asLong());
        assertThat(json.path("config").path("languageModel").path("hiddenSize").asInt())
                .isEqualTo(96);
        assertThat(json.path("tensors"))
                .hasSize(json.path("parts").path("total").path("tensors").asInt());
        assertThat(CliRun.of("inspect", model).out())
                .contains("layout liuhaotian: 536,288 parameters")
                .containsPattern("projector +4 +15,552 +62,208  F32")
                .containsPattern("tokensPerImage +16");
    }

    /** One token of the tiny tower's 2 x 2 patches of 16 features; the language model is as wide. */
    @ParameterizedTest
    @CsvSource({"avg_pool_2x2_mlp2x_gelu, 544", "pixel_shuffle_2x2_mlp2x_gelu, 1312"})
    void countsTheTokensAndParametersOfAProjectorThatReduces(String projector, long parameters) {
        JsonNode json =
                CliRun.of("inspect", TinyModel.write(dir, projector), "--json").json();

        assertThat(json.path("config").path("model").path("tokensPerImage").asInt())
                .isEqualTo(1);
        assertThat(json.path("parts").path("projector").path("parameters").asLong())
                .isEqualTo(parameters);
    }

    @Test
    void describesAProjectorAlone() {
        CliRun run = CliRun.of("inspect", CliRun.reference("goldens/tiny-llava/mha/mm_projector.safetensors"));
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out()).contains("a projector").doesNotContain("languageModel:");
    }

    @Test
    void aPathThatIsNoModelGivesOneSentence() throws IOException {
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

    @Test
    void writesRandomModelsThatAnswer() throws IOException {
        Path tiny = TinyModel.write(dir);
        Path model = dir.resolve("random");
        CliRun run = CliRun.of("inspect", "--make-random", tiny, "--dtype", "BF16", model, "--json", "--check");
        assertThat(run.code()).as(run.err()).isZero();
        JsonNode total = run.json().path("parts").path("total");
        assertThat(total.path("dtypes").path(0).asString()).isEqualTo("BF16");
        assertThat(total.path("parameters"))
                .isEqualTo(CliRun.of("inspect", tiny, "--json")
                        .json()
                        .path("parts")
                        .path("total")
                        .path("parameters"));
        CliRun answer = CliRun.of("generate", "-m", model, "--max-new-tokens", 3, "--json", "what?");
        assertThat(answer.code()).as(answer.err()).isZero();
        assertThat(answer.json().path("tokens").asInt()).isPositive();
        CliRun other = CliRun.of("inspect", "--make-random", tiny, "--dtype", "BF16", "--seed", 2, model);
        assertThat(other.code()).isEqualTo(1);
        assertThat(other.err()).contains("not part of these random weights");
    }

    @Test
    void randomWeightsHaveTheTypeOfTheConfiguration() throws IOException {
        Path tiny = TinyModel.write(dir);
        String config = Files.readString(tiny.resolve("config.json"));
        assertThat(config).contains("\"torch_dtype\" : \"float32\"");
        for (String type : new String[] {"float32", "float16", "bfloat16", "none", "float8"}) {
            Path shape = Files.createDirectory(dir.resolve("shape-" + type));
            Files.writeString(
                    shape.resolve("config.json"),
                    type.equals("none")
                            ? config.replace("torch_dtype", "a_key_that_nobody_reads")
                            : config.replace("\"float32\"", "\"" + type + "\""));
            CliRun run = CliRun.of("inspect", "--make-random", shape, dir.resolve("of-" + type), "--json");
            if (type.equals("float8")) {
                assertThat(run.code()).isEqualTo(1);
                assertThat(run.err()).contains("torch_dtype is float8", "choose one with --dtype");
                continue;
            }
            assertThat(run.code()).as(run.err()).isZero();
            String stored =
                    type.equals("none") ? "BF16" : type.replace("float", "F").replace("bF", "BF");
            assertThat(run.json().path("parts").path("total").path("dtypes").toString())
                    .isEqualTo("[\"" + stored + "\"]");
        }
    }

    @Test
    void memoryOfLlava7b() {
        MemoryEstimate estimate = MemoryEstimate.of(LlavaConfig.LLAVA_1_5_7B);
        Map<String, Long> weights = estimate.inference().stream()
                .collect(Collectors.toMap(MemoryEstimate.Inference::precision, MemoryEstimate.Inference::weights));
        assertThat(weights.get("F32")).isEqualTo(4 * 7_062_902_784L);
        // Vectors, which are upcast on loading, take 4 bytes instead of 2.
        assertThat(weights.get("BF16")).isBetween(2 * 7_062_902_784L, 2 * 7_062_902_784L + 2_000_000);
        // The language model as llama.cpp's file of LLaMA-2-7B, 4.08 GB; tower and projector, 324 M parameters, in F16.
        assertThat(weights.get("Q4_K_M"))
                .isBetween(4_080_000_000L + 2 * 324_487_168L, 4_081_004_224L + 2 * 328_000_000L);
        assertThat(weights.get("Q8_0")).isBetween(7_150_000_000L, 7_830_000_000L);
        assertThat(weights.get("Q4_0")).isLessThan(weights.get("Q4_K_M"));
        assertThat(estimate.inference().getFirst().cache()).isEqualTo(2048L * 1024 * 1024);
        MemoryEstimate.Training projector = estimate.training().get(0);
        assertThat(projector.trainable()).isEqualTo(20_979_712);
        MemoryEstimate.Training both = estimate.training().get(1);
        assertThat(both.trainable()).isEqualTo(20_979_712 + 6_738_415_616L);
        assertThat(both.gradients()).isEqualTo(4 * both.trainable());
        assertThat(both.moments()).isEqualTo(8 * both.trainable());
        assertThat(both.total()).isGreaterThan(projector.total());
    }

    @Test
    void theShippedShapeIsLlava7b() {
        ModelKind kind = Checkpoint.kindOf(Path.of("../models/llava-1.5-7b"));
        assertThat(kind).isEqualTo(new ModelKind.Llava(LlavaConfig.LLAVA_1_5_7B));
        assertThat(new RandomCheckpoint(kind, DType.BF16, 0).parameters()).isEqualTo(7_062_902_784L);
    }

    @Test
    void theShapeWithATokenPackerHasItsTokensAndParameters() throws IOException {
        String config = Files.readString(Path.of("../models/llava-1.5-7b/config.json"));
        Files.writeString(dir.resolve("config.json"), config.replace("\"mlp2x_gelu\"", "\"tokenpacker_2x2\""));
        ModelKind.Llava packed = (ModelKind.Llava) Checkpoint.kindOf(dir);
        assertThat(packed.config().tokensPerImage()).isEqualTo(144);
        assertThat(new RandomCheckpoint(packed, DType.BF16, 0).parameters())
                .isEqualTo(7_062_902_784L - 20_979_712 + 36_722_688);
    }
}
