package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class ConvertCommandTest {
    @TempDir
    Path dir;

    @Test
    void anAnswerStaysThroughEveryLayout() {
        Path model = TinyModel.write(dir);
        String expected = answer(model);
        Path gguf = converted(model, "gguf", "gguf", "f32");
        Path hf = converted(gguf, "hf", "hf", "f32");
        Path old = converted(hf, "old", "hf-old", "f32");
        Path own = converted(old, "own", "liuhaotian", "f32");
        assertThat(answer(gguf)).isEqualTo(expected);
        assertThat(answer(gguf.resolve("model-F32.gguf"))).isEqualTo(expected);
        assertThat(answer(own)).isEqualTo(expected);
    }

    private Path converted(Path from, String name, String to, String type) {
        Path target = dir.resolve(name);
        CliRun run = CliRun.of("convert", from, target, "--to", to, "--type", type);
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out()).startsWith(target + ": a LLaVA model, layout ");
        return target;
    }

    private static String answer(Path model) {
        CliRun run = CliRun.of("generate", "-m", model, "--max-new-tokens", "12", "--json", "what is in the image?");
        assertThat(run.code()).as(run.err()).isZero();
        return run.json().path("answer").asString();
    }

    @Test
    void whatWasWrittenCanBeInspected() {
        Path model = CliRun.reference("goldens/tiny-llava/gqa/hf-old-fp32");
        Path gguf = dir.resolve("gguf");
        CliRun run = CliRun.of("convert", model, gguf, "--to", "gguf", "--type", "q8_0");
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.err()).contains("has no tokenizer.model");
        JsonNode json = CliRun.of("inspect", gguf, "--json").json();
        assertThat(json.path("complete").asBoolean()).isTrue();
        assertThat(json.path("layout").asString()).isEqualTo("gguf");
        assertThat(json.path("config").path("languageModel").path("kvHeads").asInt())
                .isEqualTo(2);
        assertThat(gguf.resolve("mmproj-F16.gguf")).exists();
    }

    @Test
    void badInputIsOneSentence() throws IOException {
        Path model = CliRun.reference("goldens/tiny-llava/mha/hf-old-fp32");
        CliRun usage = CliRun.of("convert", model, dir.resolve("t"), "--to", "hf", "--type", "q8_0");
        assertThat(usage.code()).isEqualTo(2);
        assertThat(usage.err()).contains("--type q8_0 is for --to gguf only");
        assertThat(CliRun.of("convert", model, dir.resolve("t"), "--to", "onnx").code())
                .isEqualTo(2);
        Path full = Files.createDirectories(dir.resolve("full"));
        Files.writeString(full.resolve("note.txt"), "kept");
        CliRun there = CliRun.of("convert", model, full, "--to", "hf");
        assertThat(there.code()).isEqualTo(1);
        assertThat(there.err().strip().lines()).hasSize(1);
        assertThat(there.err()).contains("full exists already; remove it or name another folder");
        Path damaged = Files.writeString(dir.resolve("damaged.gguf"), "GGUF and nothing else");
        CliRun refused = CliRun.of("convert", damaged, dir.resolve("t"), "--to", "hf");
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.err().strip().lines()).hasSize(1);
        assertThat(dir.resolve("t")).doesNotExist();
    }
}
