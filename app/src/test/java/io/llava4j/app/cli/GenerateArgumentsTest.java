package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.tensor.kernel.Kernels;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Prompts, images and limits as people type them. */
class GenerateArgumentsTest {
    @TempDir
    static Path dir;

    private static Path model;
    private static Path image;

    @BeforeAll
    static void make() throws IOException {
        model = TinyModel.write(dir, 240);
        image = dir.resolve("image.png");
        ImageIO.write(new BufferedImage(40, 30, BufferedImage.TYPE_INT_RGB), "png", image.toFile());
    }

    private static CliRun ask(Object... more) {
        Object[] all = new Object[6 + more.length];
        System.arraycopy(new Object[] {"generate", "-m", model, "--json", "--max-new-tokens", 2}, 0, all, 0, 6);
        System.arraycopy(more, 0, all, 6, more.length);
        return CliRun.of(all);
    }

    private static String prompt(Object... more) {
        CliRun run = ask(more);
        assertThat(run.code()).as(run.err()).isZero();
        return run.json().path("prompt").asString();
    }

    @Test
    void aPromptMayBeginAsOptionsAndFilesDo() throws IOException {
        Path file = Files.writeString(dir.resolve("words.txt"), "other words");
        assertThat(prompt("- list all things")).isEqualTo("- list all things");
        assertThat(prompt("-1 plus 2?")).isEqualTo("-1 plus 2?");
        assertThat(prompt("--- what?")).isEqualTo("--- what?");
        assertThat(prompt("@" + file)).isEqualTo("@" + file);
        assertThat(prompt("@@cat")).isEqualTo("@@cat");
        assertThat(prompt("--", "-5")).isEqualTo("-5");
        assertThat(prompt("--", "--jsn")).isEqualTo("--jsn");
    }

    @Test
    void kernelsAreChosenByName() {
        String name = Kernels.instance().option();
        assertThat(prompt("--kernels", name, "what?")).isEqualTo("what?");
        CliRun unknown = ask("--kernels", "fast", "what?");
        assertThat(unknown.code()).isEqualTo(2);
        assertThat(unknown.err())
                .startsWith("llava: --kernels=fast is unknown; use one of " + Kernels.available())
                .contains("scalar");
        CliRun onGpu = ask("--kernels", name, "--device", "cuda:0", "what?");
        assertThat(onGpu.code()).isEqualTo(2);
        assertThat(onGpu.err()).contains("leave it out with --device cuda:0");
    }

    @Test
    void promptLookupIsBoundedAndForTheCpu() {
        assertThat(prompt("--prompt-lookup", "16", "what?")).isEqualTo("what?");
        CliRun tooMany = ask("--prompt-lookup", "17", "what?");
        assertThat(tooMany.code()).isEqualTo(2);
        assertThat(tooMany.err()).startsWith("llava: --prompt-lookup must be from 0 to 16, not 17");
        CliRun onGpu = ask("--prompt-lookup", "4", "--device", "cuda:0", "what?");
        assertThat(onGpu.code()).isEqualTo(2);
        assertThat(onGpu.err()).contains("--prompt-lookup works on the CPU only; leave it out, or use --device cpu");
    }

    @Test
    void aWordLikeAnOptionIsAnUnknownOption() {
        CliRun run = ask("--temperatur", "0.2", "what?");
        assertThat(run.code()).isEqualTo(2);
        assertThat(run.err())
                .contains("Unknown option: '--temperatur'")
                .contains("did you mean --")
                .contains("goes after --");
        assertThat(ask("-5").err()).contains("'-5'").contains("goes after --");
    }

    @Test
    void anImageIsAFileADataUrlOrStdin() throws IOException {
        byte[] bytes = Files.readAllBytes(image);
        String url = "data:image/png;base64," + Base64.getEncoder().encodeToString(bytes);
        String answer = ask("-i", image, "what?").json().path("answer").asString();
        JsonNode byUrl = ask("-i", url, "what?").json();
        assertThat(byUrl.path("answer").asString()).isEqualTo(answer);
        assertThat(byUrl.path("images").get(0).asString()).isEqualTo("data:image/png;base64,…");
        InputStream before = System.in;
        try {
            System.setIn(new ByteArrayInputStream(bytes));
            assertThat(ask("-i", "-", "what?").json().path("answer").asString()).isEqualTo(answer);
        } finally {
            System.setIn(before);
        }
        assertThat(ask("-i", "-", "-i", "-", "what?").err()).contains("one image only");
    }

    @Test
    void addressesAndBrokenDataUrlsAreRefusedInOneSentence() {
        for (String address :
                new String[] {"http://127.0.0.1/cat.jpg", "HTTPS://example.org/a%20b.png", "s3://b/c.png"}) {
            CliRun run = ask("-i", address, "what?");
            assertThat(run.code()).isEqualTo(1);
            assertThat(run.err().strip())
                    .isEqualTo("llava: image %s is an address; addresses are not fetched, download it and name the file"
                            .formatted(address));
        }
        assertThat(ask("-i", "data:image/png;base64,iVBORw0KGgo=", "what?")
                        .err()
                        .lines())
                .singleElement()
                .asString()
                .contains("image data:image/png;base64,… is truncated");
        assertThat(ask("-i", "data:image/png", "what?").err()).contains("no comma");
        assertThat(ask("-i", "data:image/png;base64,%%%", "what?").err()).contains("data:image/png;base64,…");
    }

    @Test
    void aTruncatedAnswerSaysSo() {
        CliRun limited = ask("-i", image, "what?");
        JsonNode document = limited.json();
        assertThat(document.path("finish_reason").asString()).isEqualTo("length");
        assertThat(document.path("image_tokens").asInt()).isEqualTo(4);
        assertThat(document.path("prompt_tokens").asInt()).isGreaterThan(4);
        assertThat(limited.err()).contains("truncated after 2 tokens, the limit of max-new-tokens");
        CliRun full = CliRun.of("generate", "-m", model, "-i", image, "--max-new-tokens", 500, "--json", "what?");
        int tokens = full.json().path("tokens").asInt();
        int prompt = full.json().path("prompt_tokens").asInt();
        if (full.json().path("finish_reason").asString().equals("length")) {
            assertThat(tokens + prompt).isEqualTo(240);
            assertThat(full.err()).contains("context of 240 tokens");
        }
        CliRun stopped = CliRun.of(
                "generate",
                "-m",
                model,
                "--max-new-tokens",
                40,
                "--temperature",
                5,
                "--stop",
                "a",
                "--stop",
                "e",
                "--stop",
                "t",
                "--json",
                "what?");
        assertThat(stopped.json().path("finish_reason").asString()).isEqualTo("stop");
        assertThat(stopped.err()).isEmpty();
    }
}
