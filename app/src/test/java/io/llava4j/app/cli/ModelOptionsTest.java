package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.CheckpointWriter;
import io.llava4j.checkpoint.ModelId;
import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.checkpoint.safetensors.SafeTensorsWriter;
import io.llava4j.generate.session.ImagePrompts;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/** Parts that are named are used by every verb that asks a model, or refused. */
class ModelOptionsTest {
    @TempDir
    static Path dir;

    private static Path whole;
    private static Path bare;
    private static Path tower;
    private static Path gguf;
    private static Path otherTower;
    private static Path image;

    @BeforeAll
    static void make() throws IOException {
        whole = TinyModel.write(dir);
        image = dir.resolve("image.png");
        BufferedImage pixels = new BufferedImage(40, 30, BufferedImage.TYPE_INT_RGB);
        pixels.setRGB(20, 10, 0xFF2010);
        ImageIO.write(pixels, "png", image.toFile());
        Files.writeString(
                dir.resolve("q.jsonl"), "{\"question_id\": 1, \"image\": \"image.png\", \"text\": \"what?\"}\n");

        bare = Files.createDirectory(dir.resolve("bare"));
        tower = dir.resolve("tower");
        try (Checkpoint model = Checkpoint.open(whole)) {
            Predicate<TensorEntry> isTower = tensor -> tensor.name().startsWith(CanonicalNames.TOWER);
            CheckpointWriter.save(tower, new ModelKind.Clip(model.config().vision()), null, tensors(model, isTower));
            SafeTensorsWriter.write(bare.resolve("model.safetensors"), tensors(model, isTower.negate()), Map.of());
        }
        for (String file : List.of("tokenizer.model", "tokenizer_config.json", "config.json")) {
            if (Files.exists(whole.resolve(file))) {
                Files.copy(whole.resolve(file), bare.resolve(file));
            }
        }

        Path folder = dir.resolve("gguf");
        assertThat(CliRun.of("convert", whole, folder, "--to", "gguf", "--type", "f32")
                        .code())
                .isZero();
        gguf = folder.resolve("model-F32.gguf");
        otherTower = Files.copy(folder.resolve("mmproj-F32.gguf"), dir.resolve("tower.gguf"));
        Files.copy(otherTower, folder.resolve("mmproj-BF16.gguf"));
    }

    private static List<TensorSource> tensors(Checkpoint model, Predicate<TensorEntry> wanted) {
        List<TensorSource> tensors = new ArrayList<>();
        model.tensors().values().stream().filter(wanted).map(TensorSource::of).forEach(tensors::add);
        return tensors;
    }

    /** What a verb answers about the image, and what it complains of. */
    private static CliRun ask(String verb, Object... model) throws IOException {
        List<Object> arguments = new ArrayList<>(List.of(verb, "--max-new-tokens", 5, "-m"));
        arguments.addAll(List.of(model));
        Path answers = Files.createTempDirectory(dir, "eval").resolve("answers.jsonl");
        switch (verb) {
            case "generate" -> arguments.addAll(List.of("-i", image, "what?"));
            case "chat" -> arguments.addAll(List.of("-i", image));
            default ->
                arguments.addAll(List.of("--questions", dir.resolve("q.jsonl"), "--images", dir, "--answers", answers));
        }
        InputStream before = System.in;
        try {
            System.setIn(new ByteArrayInputStream("what?\n/exit\n".getBytes(StandardCharsets.UTF_8)));
            CliRun run = CliRun.of(arguments.toArray());
            String text = Files.exists(answers) && verb.equals("eval")
                    ? Files.readString(answers).replaceAll("\"(answer_id|model_id)\": \"[^\"]*\"", "")
                    : run.out();
            return new CliRun(run.code(), text, run.err());
        } finally {
            System.setIn(before);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"generate", "chat", "eval"})
    void aNamedTowerMakesTheModelWhole(String verb) throws IOException {
        CliRun wanted = ask(verb, whole);
        assertThat(wanted.code()).as(wanted.err()).isZero();
        assertThat(wanted.out()).isNotBlank();
        assertThat(ask(verb, bare, "--vision-tower", tower).out()).isEqualTo(wanted.out());
        CliRun without = ask(verb, bare);
        assertThat(without.code()).isEqualTo(1);
        assertThat(without.err()).contains("name it with --vision-tower");

        assertThat(ask(verb, gguf, "--mmproj", otherTower).out()).isEqualTo(wanted.out());
        CliRun ambiguous = ask(verb, gguf);
        assertThat(ambiguous.code()).isEqualTo(1);
        assertThat(ambiguous.err()).contains("mmproj-BF16.gguf and mmproj-F32.gguf; name one with --mmproj");
    }

    @ParameterizedTest
    @ValueSource(strings = {"generate", "chat", "eval"})
    void aNamedTemplateIsTheConversation(String verb) throws IOException {
        String own = ask(verb, whole).out();
        assertThat(ask(verb, whole, "--template", "v1").out()).isEqualTo(own);
        assertThat(ask(verb, whole, "--template", "llava_llama_2").out()).isNotEqualTo(own);
        CliRun unknown = ask(verb, whole, "--template", "v7");
        assertThat(unknown.code()).isNotZero();
        assertThat(unknown.err()).contains("v7").contains("llava_llama_2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"generate", "chat", "eval"})
    void packedWeightsChangeNoAnswer(String verb) throws IOException {
        Path packed = whole.resolve("weights.packed");
        Files.deleteIfExists(packed);
        String own = ask(verb, whole).out();
        String name = ModelId.of(List.of(whole));
        for (int start = 0; start < 2; start++) {
            assertThat(ask(verb, whole, "--packed").out()).isEqualTo(own);
            assertThat(packed).exists();
        }
        assertThat(ModelId.of(List.of(whole)))
                .as("a cache is no part of the model")
                .isEqualTo(name);
        assertThat(CliRun.of("inspect", whole).out()).contains("packed weights for --packed: " + packed);
        assertThat(CliRun.of("inspect", whole, "--json").out()).contains("\"current\":true");
        Files.setLastModifiedTime(whole.resolve("model.safetensors"), FileTime.fromMillis(0));
        assertThat(CliRun.of("inspect", whole).out()).contains("the next start with --packed writes them again");
        Files.write(packed, new byte[100]);
        CliRun damaged = ask(verb, whole, "--packed");
        assertThat(damaged.code()).isEqualTo(1);
        assertThat(damaged.err()).contains("is damaged, or no file of packed weights; delete it");
        Files.delete(packed);
        assertThat(CliRun.of("inspect", whole).out()).doesNotContain("packed");
    }

    @ParameterizedTest
    @ValueSource(strings = {"generate", "chat", "eval"})
    void fewerVisionTokensAreAnotherImage(String verb) throws IOException {
        String own = ask(verb, whole).out();
        assertThat(ask(verb, whole, "--vision-tokens", "0").out()).isEqualTo(own);
        CliRun pruned = ask(verb, whole, "--vision-tokens", "3");
        assertThat(pruned.code()).as(pruned.err()).isZero();
        assertThat(pruned.out()).isNotBlank();
        CliRun tooMany = ask(verb, whole, "--vision-tokens", "5");
        assertThat(tooMany.code()).isEqualTo(1);
        assertThat(tooMany.err())
                .contains("--vision-tokens is 5; write a number from 2 to 4, the model's patches of an image");
        CliRun one = ask(verb, whole, "--vision-tokens", "1");
        assertThat(one.code()).isEqualTo(2);
        assertThat(one.err()).contains("--vision-tokens must be 2 or more, not 1");
    }

    @Test
    void visionTokensAreCountedAndNamed() throws IOException {
        CliRun pruned = CliRun.of(
                "generate", "-m", whole, "-i", image, "--max-new-tokens", 2, "--json", "--vision-tokens", 3, "what?");
        assertThat(pruned.json().path("image_tokens").asInt()).isEqualTo(3);
        Path answers = dir.resolve("pruned.jsonl");
        CliRun.of(
                "eval",
                "-m",
                whole,
                "--questions",
                dir.resolve("q.jsonl"),
                "--images",
                dir,
                "--answers",
                answers,
                "--max-new-tokens",
                2,
                "--vision-tokens",
                3);
        assertThat(Files.readString(answers)).contains(ModelId.of(List.of(whole)) + "-3-tokens");
        Path packs = TinyModel.write(Files.createDirectory(dir.resolve("packs")), "tokenpacker_2x2");
        CliRun refused = ask("generate", packs, "--vision-tokens", "3");
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.err()).contains("tokenpacker_2x2 joins squares of patches", "leave out --vision-tokens");
    }

    @Test
    void questionsAboutTextOrRegionsAreWarnedOfOnce() throws IOException {
        Logger logger = (Logger) LoggerFactory.getLogger(ImagePrompts.class);
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        log.start();
        logger.addAppender(log);
        try {
            Files.writeString(
                    dir.resolve("q2.jsonl"),
                    "{\"question_id\": 1, \"image\": \"image.png\", \"text\": \"What colour is it?\"}\n"
                            + "{\"question_id\": 2, \"image\": \"image.png\", \"text\": \"What does the sign say?\"}\n"
                            + "{\"question_id\": 3, \"image\": \"image.png\", \"text\": \"Read the text.\"}\n");
            Object[] arguments = {
                "eval",
                "-m",
                whole,
                "--questions",
                dir.resolve("q2.jsonl"),
                "--images",
                dir,
                "--max-new-tokens",
                2,
                "--answers",
                dir.resolve("warned.jsonl"),
                "--vision-tokens",
                3
            };
            assertThat(CliRun.of(arguments).code()).isZero();
            assertThat(log.list)
                    .singleElement()
                    .extracting(ILoggingEvent::getFormattedMessage)
                    .asString()
                    .contains("for which 3 image tokens may not be enough")
                    .contains("leave out --vision-tokens");
        } finally {
            logger.detachAppender(log);
        }
    }

    @Test
    void aPartThatAModelHasNoUseForIsRefused() throws IOException {
        assertThat(ask("generate", whole, "--vision-tower", tower).err())
                .contains("holds its own vision tower; leave out --vision-tower");
        assertThat(ask("generate", gguf, "--vision-tower", tower).err()).contains("name that with --mmproj");
        assertThat(ask("generate", whole, "--mmproj", otherTower).err())
                .contains("is no GGUF model, so it takes no mmproj file; leave out --mmproj");
        assertThat(ask("generate", gguf, "--mmproj", gguf).err()).contains("general.architecture is llama");
        assertThat(ask("generate", gguf, "--mmproj", dir.resolve("none.gguf")).err())
                .contains("none.gguf is no GGUF file: it does not exist");
        CliRun adapted = CliRun.of("convert", whole, dir.resolve("never"), "--to", "hf", "--vision-tower", tower);
        assertThat(adapted.err()).contains("leave out --vision-tower");
        assertThat(dir.resolve("never")).doesNotExist();
    }
}
