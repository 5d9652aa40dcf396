package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.generate.ChatRequest;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.image.ImageDecoder;
import io.llava4j.text.Turn;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The programs in {@code examples/} compile, run, and stand in docs/embedding.md as they are. */
class ExamplesTest {
    private static final Path ROOT = Path.of("..");
    private static final List<String> QUESTIONS = List.of("What is in the image?", "Is the dog red?");

    @TempDir
    Path dir;

    private Path model;
    private Path image;

    @BeforeEach
    void make() throws IOException {
        model = TinyModel.write(dir);
        image = dir.resolve("image.png");
        BufferedImage drawn = new BufferedImage(30, 20, BufferedImage.TYPE_INT_RGB);
        drawn.setRGB(3, 4, 0xff8800);
        ImageIO.write(drawn, "png", image.toFile());
    }

    @Test
    void askAnImageStreamsTheAnswer() throws Exception {
        assertThat(run("AskAnImage", model.toString(), image.toString(), QUESTIONS.getFirst()))
                .isEqualTo(answers().getFirst());
    }

    @Test
    void answerInBatchesPrintsALinePerQuestion() throws Exception {
        assertThat(run("AnswerInBatches", model.toString(), image.toString(), QUESTIONS.get(0), QUESTIONS.get(1)))
                .isEqualTo(String.join(System.lineSeparator(), answers()));
    }

    @Test
    void thePageShowsThePrograms() throws IOException {
        String page = Files.readString(ROOT.resolve("docs/embedding.md"));
        for (String name : List.of("AskAnImage", "AnswerInBatches")) {
            assertThat(page).contains("```java\n" + Files.readString(source(name)) + "```\n");
        }
    }

    @Test
    void thePageNamesTheVersionOfTheBuild() throws IOException {
        String pom = Files.readString(ROOT.resolve("core/pom.xml"));
        String version = pom.substring(pom.indexOf("<version>"), pom.indexOf("</version>"));
        assertThat(Files.readString(ROOT.resolve("docs/embedding.md")))
                .contains("<artifactId>llava4j-core</artifactId>\n  " + version + "</version>");
    }

    private List<String> answers() {
        try (LlavaPipeline pipeline = LlavaPipeline.open(model)) {
            return QUESTIONS.stream()
                    .map(question -> new ChatRequest(
                            List.of(Turn.human("<image>\n" + question)), List.of(ImageDecoder.decode(image))))
                    .map(request -> pipeline.answer(List.of(request), GenerationOptions.greedy(128)))
                    .map(List::getFirst)
                    .toList();
        }
    }

    private static Path source(String name) {
        return ROOT.resolve("examples").resolve(name + ".java");
    }

    /** What the program prints, trimmed. */
    private String run(String name, String... args) throws Exception {
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        Path classes = Files.createDirectories(dir.resolve("classes"));
        int code = ToolProvider.getSystemJavaCompiler()
                .run(
                        null,
                        null,
                        null,
                        "-proc:none",
                        "-Werror",
                        "-Xlint:all,-classfile,-path",
                        "-cp",
                        classPath,
                        "-d",
                        classes.toString(),
                        source(name).toString());
        assertThat(code).isZero();
        PrintStream stdout = System.out;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        try (URLClassLoader loader =
                new URLClassLoader(new URL[] {classes.toUri().toURL()})) {
            System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
            loader.loadClass(name).getMethod("main", String[].class).invoke(null, (Object) args);
        } finally {
            System.setOut(stdout);
        }
        return printed.toString(StandardCharsets.UTF_8).strip();
    }
}
