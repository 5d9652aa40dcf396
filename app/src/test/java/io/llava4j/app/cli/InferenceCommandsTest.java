package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** generate, chat and eval on a whole random model. */
class InferenceCommandsTest {
    @TempDir
    static Path dir;

    private static Path model;
    private static Path image;

    @BeforeAll
    static void make() throws IOException {
        model = TinyModel.write(dir);
        image = dir.resolve("image.png");
        BufferedImage pixels = new BufferedImage(40, 30, BufferedImage.TYPE_INT_RGB);
        for (int x = 0; x < 20; x++) {
            pixels.setRGB(x, 10, 0xFF2010);
        }
        ImageIO.write(pixels, "png", image.toFile());
    }

    @Test
    void streamedTextIsTheAnswerOfJson() {
        CliRun streamed =
                CliRun.of("generate", "-m", model, "--image", image, "--max-new-tokens", 6, "--verbose", "what", "is?");
        CliRun json = CliRun.of("generate", "-m", model, "--image", image, "--max-new-tokens", 6, "--json", "what is?");
        assertThat(streamed.code()).as(streamed.err()).isZero();
        assertThat(streamed.err()).containsPattern("load [0-9.]+ s, images and prompt [0-9.]+ s, \\d+ tokens in");
        JsonNode document = json.json();
        assertThat(document.path("prompt").asString()).isEqualTo("<image>\nwhat is?");
        assertThat(document.path("answer").asString())
                .isNotEmpty()
                .isEqualTo(streamed.out().strip());
        assertThat(document.path("tokens").asInt()).isEqualTo(6);
        assertThat(document.path("seconds").propertyNames()).containsExactly("load", "first_text", "answer");
    }

    @Test
    void aStopTextEndsTheAnswerBeforeIt() {
        Object[] free = {"generate", "-m", model, "--temperature", 5, "--max-new-tokens", 40, "--json", "what?"};
        String whole = CliRun.of(free).json().path("answer").asString();
        assertThat(whole.length()).isGreaterThan(12);
        // From the middle, so that it begins and ends within the pieces of several tokens.
        String stop = whole.substring(whole.length() / 2, whole.length() / 2 + 4);
        CliRun run = CliRun.of(
                "generate",
                "-m",
                model,
                "--temperature",
                5,
                "--max-new-tokens",
                40,
                "--stop",
                stop,
                "--stop",
                "\0",
                "--json",
                "what?");
        assertThat(run.json().path("answer").asString())
                .isEqualTo(whole.substring(0, whole.indexOf(stop)).strip());
        assertThat(run.json().path("tokens").asInt()).isLessThan(40);
        CliRun streamed =
                CliRun.of("generate", "-m", model, "--temperature", 5, "--max-new-tokens", 40, "--stop", stop, "what?");
        assertThat(streamed.out().strip()).isEqualTo(run.json().path("answer").asString());
        CliRun empty = CliRun.of("generate", "-m", model, "--stop", "", "what?");
        assertThat(empty.code()).isEqualTo(2);
        assertThat(empty.err()).contains("stop must not be an empty text");
    }

    /** A random model says anything but JSON; a closed schema leaves it no way round. Short, as its context is. */
    @Test
    void theAnswerFitsTheSchema() throws IOException {
        Path schema = Files.writeString(dir.resolve("schema.json"), """
                {"type": "array", "minItems": 1, "maxItems": 1, "items": {"enum": ["a", 7]}}
                """);
        for (double temperature : new double[] {0, 5}) {
            CliRun run = CliRun.of(
                    "generate", "-m", model, "--temperature", temperature, "--json-schema", schema, "how many?");
            assertThat(run.code()).as(run.err()).isZero();
            assertThat(run.json().isArray()).isTrue();
            assertThat(run.json().get(0).asString()).isIn("a", "7");
        }
        CliRun object =
                CliRun.of("generate", "-m", model, "--max-new-tokens", 12, "--json-object", "--json", "how many?");
        // the beginning of an object, of which blanks may stand first and are trimmed
        assertThat(object.json().path("answer").asString()).matches("(?s)(\\{.*)?");
        assertThat(object.json().path("finish_reason").asString()).isEqualTo("length");
    }

    @Test
    void aSchemaThatCannotBeHonouredIsRefusedBeforeTheModelIsLoaded() throws IOException {
        Path schema = Files.writeString(dir.resolve("pattern.json"), "{\"type\": \"string\", \"pattern\": \"a+\"}");
        Path nowhere = dir.resolve("nowhere");
        CliRun pattern = CliRun.of("generate", "-m", nowhere, "--json-schema", schema, "x");
        assertThat(pattern.code()).isEqualTo(1);
        assertThat(pattern.err())
                .isEqualToNormalizingNewlines(
                        "llava: %s: the JSON schema at # uses 'pattern', which constrained decoding cannot honour; leave it out\n"
                                .formatted(schema));
        assertThat(CliRun.of("generate", "-m", nowhere, "--json-schema", nowhere, "x")
                        .err())
                .isEqualToNormalizingNewlines("llava: %s does not exist\n".formatted(nowhere));
        CliRun both = CliRun.of("generate", "-m", nowhere, "--json-schema", schema, "--json-object", "x");
        assertThat(both.code()).isEqualTo(2);
        assertThat(both.err()).contains("--json-schema and --json-object exclude each other");
    }

    @Test
    void sampledAnswersFollowTheSeed() {
        Object[] drawn = {"generate", "-m", model, "--temperature", 5, "--max-new-tokens", 12, "--seed", 1, "what?"};
        String first = CliRun.of(drawn).out();
        assertThat(CliRun.of(drawn).out()).isEqualTo(first);
        drawn[8] = 2;
        assertThat(CliRun.of(drawn).out()).isNotEqualTo(first);
    }

    @Test
    void badInputIsOneSentenceBeforeAnythingIsLoaded() throws IOException {
        Path cut = dir.resolve("cut.png");
        byte[] bytes = Files.readAllBytes(image);
        Files.write(cut, java.util.Arrays.copyOf(bytes, bytes.length / 2));
        for (Path image : new Path[] {cut, dir.resolve("missing.png")}) {
            CliRun run = CliRun.of("generate", "-m", model, "-i", image, "what?");
            assertThat(run.code()).isEqualTo(1);
            assertThat(run.err()).contains(image.getFileName().toString()).doesNotContain("internal error");
            assertThat(run.err().lines()).hasSize(1);
            assertThat(run.out()).isEmpty();
        }
        CliRun noModel = CliRun.of("generate", "-m", dir.resolve("nowhere"), "what?");
        assertThat(noModel.code()).isEqualTo(1);
        assertThat(noModel.err()).contains("nowhere").doesNotContain("internal error");
    }

    @Test
    void impossibleOptionsAreUsageErrors() {
        assertThat(CliRun.of("generate", "-m", model).code()).isEqualTo(2);
        assertThat(CliRun.of("generate", "-m", model, "--top-p", 0, "x").err())
                .startsWith("llava: --top-p must be above 0");
        assertThat(CliRun.of("generate", "-m", model, "--max-new-tokens", 0, "x")
                        .code())
                .isEqualTo(2);
        assertThat(CliRun.of("generate", "-m", model, "<image> x").err())
                .contains("says <image> 1 times, but there are 0 --image options");
        assertThat(CliRun.of(
                                "eval",
                                "-m",
                                model,
                                "--questions",
                                "q",
                                "--images",
                                dir,
                                "--answers",
                                "a",
                                "--batch-size",
                                0)
                        .code())
                .isEqualTo(2);
    }

    @Test
    void chatTalksThroughAPipe() {
        InputStream before = System.in;
        try {
            System.setIn(
                    new ByteArrayInputStream(("what?\n/set max-new-tokens 2\nand?\n/image missing.png\n/exit\nnever\n")
                            .getBytes(StandardCharsets.UTF_8)));
            CliRun run = CliRun.of("chat", "-m", model, "--image", image, "--max-new-tokens", 4);
            assertThat(run.code()).as(run.err()).isZero();
            assertThat(run.out()).contains("max-new-tokens 2").contains("! ").contains("missing.png");
            assertThat(run.out().lines().count()).isGreaterThanOrEqualTo(4);
        } finally {
            System.setIn(before);
        }
    }

    @Test
    void evalWritesAnswersInOrderWhateverTheBatch() throws IOException {
        Path questions = dir.resolve("questions.jsonl");
        Files.writeString(questions, """
                {"question_id": 7, "image": "image.png", "text": "what?"}
                {"question_id": 3, "image": "image.png", "text": "is there a cat?"}
                {"question_id": 5, "text": "and?"}
                """);
        String[] texts = new String[2];
        for (int batch = 1; batch <= 2; batch++) {
            Path answers = dir.resolve("answers" + batch + ".jsonl");
            CliRun run = CliRun.of(
                    "eval",
                    "-m",
                    model,
                    "--questions",
                    questions,
                    "--images",
                    dir,
                    "--answers",
                    answers,
                    "--batch-size",
                    batch,
                    "--max-new-tokens",
                    3);
            assertThat(run.code()).as(run.err()).isZero();
            assertThat(run.out().strip()).isEqualTo(answers.toString());
            texts[batch - 1] = Files.readString(answers);
        }
        assertThat(texts[0].lines()).hasSize(3).first().asString().contains("\"question_id\": 7");
        assertThat(texts[1]).isEqualTo(texts[0]);
        assertThat(texts[0]).containsPattern("\"model_id\": \"model-[0-9a-f]{8}\"");
    }
}
