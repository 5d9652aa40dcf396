package io.llava4j.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.llava4j.app.cli.TinyModel;
import io.llava4j.app.serve.TestServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The project in {@code examples/embed} builds and runs with nothing of llava4j but the jars and POMs of this build, in a local
 * repository of its own: their POMs need no parent. Everything else in that repository is linked from the one of this build.
 */
class EmbedExampleTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final List<String> MODULES = List.of("core", "langchain4j");

    private final Path dir = createDirectory();

    private static Path createDirectory() {
        try {
            return Files.createTempDirectory(Path.of("target").toAbsolutePath(), "embed");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void itBuildsAndRuns() throws Exception {
        String version = version();
        for (String module : MODULES) {
            assumeTrue(
                    Files.exists(jar(module, version)),
                    "mvn verify packages the jars that this test needs, mvn test does not");
        }
        Path repository = repository(version);
        Path project = copy(ROOT.resolve("examples/embed"));
        Path image = Files.write(dir.resolve("image.png"), Base64.getDecoder().decode(TestServer.png(0xff00)));
        Path model = TinyModel.write(dir);

        String printed = maven(
                project,
                "-Dmaven.repo.local=" + repository,
                "compile",
                "exec:exec",
                "-Dmodel=" + model,
                "-Dimage=" + image);

        assertThat(printed.lines())
                .satisfiesExactly(
                        line -> assertThat(line).matches("Streamed: .+"),
                        line -> assertThat(line).matches("What is in the image\\? .+"),
                        line -> assertThat(line).startsWith("How many things are there? "),
                        line -> assertThat(line).startsWith("What colour is it? "),
                        line -> assertThat(line).startsWith("Is there a dog? "));
    }

    /** What Central asks for stands in the POMs themselves, except for addresses that the project does not have (docs/embedding.md). */
    @Test
    void thePomsStandAlone() throws IOException {
        for (String module : MODULES) {
            Path pom = pom(module);
            assumeTrue(Files.exists(pom), "mvn verify writes the POMs that this test reads, mvn test does not");
            assertThat(Files.readString(pom))
                    .contains(
                            "<name>",
                            "<description>",
                            "<license>",
                            "<url>https://www.apache.org/licenses/LICENSE-2.0.txt</url>")
                    .doesNotContain("<parent>", "${", "<dependencyManagement>", "<scope>test</scope>")
                    .doesNotContain("<scm", "<developer>", "github.com/llava4j");
        }
    }

    @Test
    void thePageShowsTheProgram() throws IOException {
        String page = Files.readString(ROOT.resolve("docs/embedding.md"));
        String section = page.substring(page.indexOf("## LangChain4j"), page.indexOf("## Decoding options"));
        int at = section.indexOf("```java\n") + "```java\n".length();

        assertThat(Files.readString(ROOT.resolve("examples/embed/src/main/java/com/example/Embed.java")))
                .contains(section.substring(at, section.indexOf("```", at)));
        assertThat(section)
                .contains(
                        "<artifactId>llava4j-langchain4j</artifactId>\n  <version>" + version(),
                        "version " + property("langchain4j"));
    }

    @Test
    void thePageNamesTheTestedVersions() throws IOException {
        assertThat(Files.readString(ROOT.resolve("docs/serving.md")))
                .contains(
                        "`com.openai:openai-java` " + property("openai-java"),
                        "`com.anthropic:anthropic-java` " + property("anthropic-java"),
                        "`dev.langchain4j:langchain4j-open-ai` " + property("langchain4j"),
                        "`org.springframework.ai:spring-ai-openai` " + property("spring-ai"));
    }

    @Test
    void theProjectNamesTheVersionOfTheBuild() throws IOException {
        assertThat(Files.readString(ROOT.resolve("examples/embed/pom.xml")))
                .contains(
                        "<artifactId>llava4j-core</artifactId>\n      <version>" + version(),
                        "<artifactId>llava4j-langchain4j</artifactId>\n      <version>" + version());
    }

    private static String version() throws IOException {
        String pom = Files.readString(ROOT.resolve("pom.xml"));
        int at = pom.indexOf("<version>") + "<version>".length();
        return pom.substring(at, pom.indexOf("</version>", at));
    }

    /** A version that the parent POM pins. */
    private static String property(String name) throws IOException {
        String pom = Files.readString(ROOT.resolve("pom.xml"));
        int at = pom.indexOf("<" + name + ".version>") + name.length() + "<.version>".length();
        return pom.substring(at, pom.indexOf("<", at));
    }

    private static Path jar(String module, String version) {
        return ROOT.resolve(module).resolve("target/llava4j-%s-%s.jar".formatted(module, version));
    }

    private static Path pom(String module) {
        return ROOT.resolve(module).resolve("target/flattened-pom.xml");
    }

    private Path repository(String version) throws IOException {
        Path shared = Path.of(System.getProperty("local.repository"));
        Path own = Files.createDirectories(dir.resolve("repository/io"));
        link(shared, own.getParent(), "io");
        link(shared.resolve("io"), own, "llava4j");
        for (String module : MODULES) {
            String name = "llava4j-" + module;
            Path folder =
                    Files.createDirectories(own.resolve("llava4j").resolve(name).resolve(version));
            Files.copy(jar(module, version), folder.resolve(name + "-" + version + ".jar"));
            Files.copy(pom(module), folder.resolve(name + "-" + version + ".pom"));
        }
        return own.getParent();
    }

    private static void link(Path from, Path to, String except) throws IOException {
        try (Stream<Path> entries = Files.list(from)) {
            for (Path entry : entries.toList()) {
                if (!entry.endsWith(except)) {
                    Files.createSymbolicLink(to.resolve(entry.getFileName()), entry);
                }
            }
        }
    }

    private Path copy(Path from) throws IOException {
        Path to = dir.resolve("project");
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path relative = from.relativize(file);
                if (!relative.startsWith("target")) {
                    Path target = to.resolve(relative);
                    Files.createDirectories(target.getParent());
                    Files.copy(file, target);
                }
            }
        }
        return to;
    }

    /** What the program prints; if Maven fails, the test fails with all that it printed. */
    private String maven(Path project, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                System.getProperty("maven.executable"), "-B", "-q", "-Dstyle.color=never", "-f", project.toString()));
        command.addAll(List.of(arguments));
        Path errors = dir.resolve("stderr");
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(errors.toFile());
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().remove("MAVEN_OPTS");
        builder.environment().remove("JAVA_TOOL_OPTIONS");
        Process process = builder.start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(() -> printed + readErrors(errors)).isZero();
        return printed.replace("\u001b[0m", ""); // some Mavens reset the colour at their end, whatever the style
    }

    private static String readErrors(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
