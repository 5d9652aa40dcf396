package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Loading the engine takes seconds; printing help must not touch one of its classes. */
class EngineStaysOutTest {
    @TempDir
    Path dir;

    @Test
    void helpOfEveryVerbLoadsNoEngineClass() throws IOException, InterruptedException {
        Path classes = dir.resolve("classes.txt");
        Path output = dir.resolve("output.txt");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xlog:class+load:file=" + classes,
                        "-cp",
                        System.getProperty("java.class.path"),
                        PrintEveryHelp.class.getName())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        assertThat(process.waitFor()).as(Files.readString(output)).isZero();
        assertThat(Files.readString(output)).contains("Usage: llava verify");
        try (Stream<String> lines = Files.lines(classes)) {
            List<String> ours = lines.filter(line -> line.contains(" io.llava4j.") || line.contains(" org.bytedeco."))
                    .toList();
            assertThat(ours).anyMatch(line -> line.contains("io.llava4j.app.cli.Main"));
            assertThat(ours).noneMatch(line -> line.contains("org.bytedeco"));
        }
    }

    @Test
    void scoringAndInspectingLoadNoEngineClass() throws IOException, InterruptedException {
        Path pope = CliRun.reference("evalgold/pope");
        Path model = CliRun.reference("goldens/tiny-llava/mha/hf-old-fp32");
        Path classes = dir.resolve("classes.txt");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xlog:class+load:file=" + classes,
                        "-cp",
                        System.getProperty("java.class.path"),
                        ScoreAndInspect.class.getName(),
                        pope.toString(),
                        model.toString())
                .redirectErrorStream(true)
                .redirectOutput(dir.resolve("output.txt").toFile())
                .start();
        assertThat(process.waitFor())
                .as(Files.readString(dir.resolve("output.txt")))
                .isZero();
        try (Stream<String> lines = Files.lines(classes)) {
            assertThat(lines.filter(line -> line.contains(" org.bytedeco."))).isEmpty();
        }
    }

    @Test
    void dataVerbsLoadNoEngineClass() throws IOException, InterruptedException {
        Path data = Files.writeString(dir.resolve("data.csv"), "question,answer\nWhat is it?,a cat\n");
        Path classes = dir.resolve("classes.txt");
        Path output = dir.resolve("output.txt");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xlog:class+load:file=" + classes,
                        "-cp",
                        System.getProperty("java.class.path"),
                        LookAtData.class.getName(),
                        data.toString())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        assertThat(process.waitFor()).as(Files.readString(output)).isZero();
        assertThat(Files.readString(output)).contains("⟦ a cat</s>⟧");
        try (Stream<String> lines = Files.lines(classes)) {
            assertThat(lines.filter(line -> line.contains(" org.bytedeco."))).isEmpty();
        }
    }

    /** On the CPU models answer with Java and its kernels alone: the engine's jars are not even there. */
    @Test
    void aModelAnswersWithoutTheEngineOnTheClassPath() throws IOException, InterruptedException {
        Path model = TinyModel.write(dir);
        Path image = dir.resolve("image.png");
        ImageIO.write(new BufferedImage(40, 30, BufferedImage.TYPE_INT_RGB), "png", image.toFile());
        String path = Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> !entry.contains("bytedeco"))
                .collect(Collectors.joining(File.pathSeparator));
        Path output = dir.resolve("output.txt");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        path,
                        AskAboutAnImage.class.getName(),
                        model.toString(),
                        image.toString())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        assertThat(process.waitFor()).as(Files.readString(output)).isZero();
        assertThat(Files.readString(output)).contains("\"tokens\":4");
    }

    /** Runs in a JVM of its own. */
    static final class AskAboutAnImage {
        private AskAboutAnImage() {}

        public static void main(String[] args) {
            assertThatThrownBy(() -> Class.forName("org.bytedeco.pytorch.Tensor"))
                    .isInstanceOf(ClassNotFoundException.class);
            System.exit(Main.commandLine()
                    .execute(
                            "generate",
                            "-m",
                            args[0],
                            "--image",
                            args[1],
                            "--max-new-tokens",
                            "4",
                            "--json",
                            "Hello?"));
        }
    }

    /** Runs in a JVM of its own. */
    static final class LookAtData {
        private LookAtData() {}

        public static void main(String[] args) {
            System.setOut(new java.io.PrintStream(System.out, true, java.nio.charset.StandardCharsets.UTF_8));
            int code = 0;
            for (String verb : new String[] {"show", "validate", "stats"}) {
                code += Main.commandLine()
                        .setOut(new java.io.PrintWriter(System.out, true))
                        .execute("data", verb, args[0], "--tokenizer", "../models/nano-tokenizer");
            }
            System.exit(code);
        }
    }

    /** Runs in a JVM of its own. */
    static final class ScoreAndInspect {
        private ScoreAndInspect() {}

        public static void main(String[] args) {
            int code = Main.commandLine()
                    .execute("score", "pope", "--folder", args[0], "--answers", args[0] + "/answers.jsonl");
            System.exit(code + Main.commandLine().execute("inspect", args[1], "--json"));
        }
    }

    /** Runs in a JVM of its own. */
    static final class PrintEveryHelp {
        private PrintEveryHelp() {}

        public static void main(String[] args) {
            CommandLine commandLine = Main.commandLine();
            int code = commandLine.execute("--help") + commandLine.execute("--version");
            for (String verb : commandLine.getSubcommands().keySet()) {
                code += commandLine.execute(verb, "--help");
            }
            System.exit(code);
        }
    }
}
