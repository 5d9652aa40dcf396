package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The shell script {@code llava}: which JDK it takes and which command line it makes. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the launcher is a shell script")
class LauncherTest {
    private static final Path SCRIPT = Path.of("..", "llava");

    @TempDir
    Path dir;

    private Path project;
    private Path script;

    private record Result(int code, List<String> out, String err) {}

    @BeforeEach
    void copy() throws IOException {
        project = Files.createDirectories(dir.toRealPath().resolve("a project"));
        script = Files.copy(SCRIPT, project.resolve("llava"), StandardCopyOption.COPY_ATTRIBUTES);
    }

    @Test
    void syntaxIsThatOfAPosixShell() throws Exception {
        assertThat(run(List.of("sh", "-n", script.toString()), Map.of()).code()).isZero();
    }

    @Test
    void javaHomeComesFirst() throws Exception {
        Path home = jdk("jdks/my 25", "25.0.3");
        Result result = dryRun(Map.of("JAVA_HOME", home.toString(), "LLAVA_JVM_DIR", parent(jdk("jvm/x", "27"))));
        assertThat(result.out().getFirst()).isEqualTo(home.resolve("bin/java").toString());
    }

    @Test
    void anOldJavaHomeIsPassedOver() throws Exception {
        Path old = jdk("jdks/old", "17.0.15");
        Path found = jdk("jvm/twenty-six", "26");
        Result result = dryRun(Map.of("JAVA_HOME", old.toString(), "LLAVA_JVM_DIR", parent(found)));
        assertThat(result.out().getFirst()).isEqualTo(found.resolve("bin/java").toString());
    }

    @Test
    void aLinkedJavacOnThePathIsFollowed() throws Exception {
        Path home = jdk("jdks/path", "25.0.1");
        Path bin = Files.createDirectories(dir.resolve("bin"));
        Files.createSymbolicLink(bin.resolve("javac"), home.resolve("bin/javac"));
        Result result = dryRun(
                Map.of("PATH", bin + ":" + System.getenv("PATH"), "LLAVA_JVM_DIR", parent(jdk("jvm/other", "25"))));
        assertThat(result.out().getFirst())
                .isEqualTo(home.toRealPath().resolve("bin/java").toString());
    }

    @Test
    void userFoldersAreSearched() throws Exception {
        Path home = jdk("home/.sdkman/candidates/java/25-tem", "25");
        assumeNoSystemJdk();
        Result result = dryRun(Map.of());
        assertThat(result.out().getFirst()).isEqualTo(home.resolve("bin/java").toString());
    }

    @Test
    void withoutJdkItSaysWhatToInstall() throws Exception {
        jdk("jvm/old", "21.0.2");
        jdk("home/.jdks/broken", "not a version");
        assumeNoSystemJdk();
        Result result = dryRun(Map.of("LLAVA_JVM_DIR", dir.resolve("jvm").toString()));
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.err())
                .startsWith("llava: no JDK 25 or newer found in ")
                .contains("apt-get", "brew", "sdk");
        assertThat(result.err().lines()).hasSize(1);
        assertThat(result.out()).isEmpty();
    }

    @Test
    void worksThroughLinksFromAnywhereAndKeepsArguments() throws Exception {
        Path home = jdk("jdks/25", "25");
        Path links = Files.createDirectories(dir.resolve("links"));
        Files.createSymbolicLink(links.resolve("first"), Path.of("../a project/llava"));
        Files.createSymbolicLink(links.resolve("second"), Path.of("first"));
        Result result = run(
                List.of(links.resolve("second").toString(), "generate", "what is  this?", ""),
                Map.of("JAVA_HOME", home.toString(), "LLAVA_DRY_RUN", "1", "LLAVA_JAVA_OPTS", "-Xmx8g -Xms1g"));
        assertThat(result.out())
                .contains("-Xmx8g", "-Xms1g", "--enable-native-access=ALL-UNNAMED")
                .contains(project.resolve("app/target/llava4j-app.jar").toString())
                .endsWith("io.llava4j.app.cli.Main", "generate", "what is  this?", "");
    }

    /** The script exports what it sets; a program in place of java shows it. */
    @Test
    void tensorMemoryIsKeptUnlessTheUserSaysOtherwise() throws Exception {
        Path home = jdk("jdks/25", "25");
        Files.writeString(home.resolve("bin/java"), "#!/bin/sh\nenv\n");
        built();
        Result result = run(
                List.of(script.toString(), "doctor"),
                Map.of("JAVA_HOME", home.toString(), "MALLOC_TOP_PAD_", "4096", "LC_ALL", "de_DE.UTF-8"));
        assertThat(result.out())
                .contains(
                        "MALLOC_TRIM_THRESHOLD_=2147483648",
                        "MALLOC_TOP_PAD_=4096",
                        "GLIBC_TUNABLES=glibc.malloc.hugetlb=1",
                        "LC_ALL=C.UTF-8");
    }

    @Test
    void withoutMavenItSaysSo() throws Exception {
        Path home = jdk("jdks/25", "25");
        Result result = run(
                List.of(script.toString(), "doctor"),
                Map.of("JAVA_HOME", home.toString(), "PATH", toolsWithout("mvn").toString()));
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.err()).contains("'mvn' is not on PATH").contains("apt-get install maven");
    }

    @Test
    void buildsOnceAndAgainWhenASourceIsNewer() throws Exception {
        Path home = jdk("jdks/25", "25");
        Files.writeString(home.resolve("bin/java"), "#!/bin/sh\necho started\n");
        Path tools = toolsWithout("mvn");
        executable(
                tools.resolve("mvn"),
                "echo \"$JAVA_HOME\" >> builds; echo \"$*\" > arguments; : > app/target/llava4j-app.jar");
        Map<String, String> env = Map.of("JAVA_HOME", home.toString(), "PATH", tools.toString());
        Path source =
                Files.createDirectories(project.resolve("core/src/main/java")).resolve("A.java");

        assertThat(run(List.of(script.toString()), env).out()).containsExactly("started");
        assertThat(run(List.of(script.toString()), env).err()).isEmpty();
        assertThat(Files.readAllLines(project.resolve("builds"))).containsExactly(home.toString());
        // Neither the module for clusters nor what it needs.
        assertThat(Files.readString(project.resolve("arguments"))).contains("-pl app -am package");

        Files.writeString(source, "class A {}");
        Files.setLastModifiedTime(project.resolve("app/target/llava.stamp"), FileTime.fromMillis(0));
        assertThat(run(List.of(script.toString()), env).err())
                .contains("building")
                .contains("build.log");
        assertThat(Files.readAllLines(project.resolve("builds"))).hasSize(2);
    }

    @Test
    void aFailedBuildShowsTheErrorAndTheLog() throws Exception {
        Path home = jdk("jdks/25", "25");
        Path tools = toolsWithout("mvn");
        executable(tools.resolve("mvn"), "echo '[ERROR] A.java: no'; exit 1");
        Result result = run(List.of(script.toString()), Map.of("JAVA_HOME", home.toString(), "PATH", tools.toString()));
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.err()).contains("[ERROR] A.java: no").contains("target/build.log");
        assertThat(project.resolve("app/target/llava.stamp")).doesNotExist();
    }

    private void built() throws IOException {
        Path target = Files.createDirectories(project.resolve("app/target"));
        Files.createFile(target.resolve("llava4j-app.jar"));
        Files.createFile(target.resolve("llava.stamp"));
    }

    /** A folder that looks like a JDK of that version to the script. */
    private Path jdk(String name, String version) throws IOException {
        Path home = Files.createDirectories(dir.toRealPath().resolve(name));
        Path bin = Files.createDirectories(home.resolve("bin"));
        for (String program : List.of("java", "javac")) {
            assertThat(Files.createFile(bin.resolve(program)).toFile().setExecutable(true))
                    .isTrue();
        }
        Files.writeString(home.resolve("release"), "IMPLEMENTOR=\"X\"\nJAVA_VERSION=\"" + version + "\"\n");
        return home;
    }

    private static void executable(Path file, String command) throws IOException {
        Files.writeString(file, "#!/bin/sh\n" + command + "\n");
        assertThat(file.toFile().setExecutable(true)).isTrue();
    }

    private static String parent(Path path) {
        return String.valueOf(path.getParent());
    }

    /** A folder with stand-ins for the tools the script needs, and none else. */
    private Path toolsWithout(String missing) throws IOException {
        Path tools = Files.createDirectories(dir.resolve("tools"));
        for (String tool : List.of(
                "sh",
                "sed",
                "head",
                "dirname",
                "readlink",
                "find",
                "mkdir",
                "mv",
                "rm",
                "grep",
                "flock",
                "rmdir",
                "sleep",
                "env",
                "mvn")) {
            if (tool.equals(missing)) {
                continue;
            }
            for (String folder : List.of("/usr/bin", "/bin")) {
                Path program = Path.of(folder, tool);
                if (Files.exists(program) && !Files.exists(tools.resolve(tool))) {
                    executable(tools.resolve(tool), "exec " + program + " \"$@\"");
                }
            }
        }
        return tools;
    }

    /** An archive of scripts/dist brings a runtime, which has no compiler, and is never built. */
    @Test
    void aRuntimeBesideTheLauncherTakesThePlaceOfJdkAndBuild() throws Exception {
        Path java = project.resolve("runtime/bin/java");
        Files.createDirectories(java.getParent());
        Files.writeString(java, "#!/bin/sh\nfor each; do echo \"$each\"; done\n");
        assertThat(java.toFile().setExecutable(true)).isTrue();
        Result result = run(List.of(script.toString(), "--help"), Map.of());
        assertThat(result.code()).as(result.err()).isZero();
        assertThat(result.err()).isEmpty();
        assertThat(result.out())
                .contains(project.resolve("llava4j-app.jar").toString(), "-Dllava.home=" + project)
                .contains("-XX:SharedArchiveFile=" + dir.toRealPath().resolve("home/.cache/llava4j/a project.jsa"));
        assertThat(project.resolve("target")).doesNotExist();
    }

    private static void assumeNoSystemJdk() throws IOException {
        for (String folder : List.of("/usr/java", "/opt/java", "/Library/Java/JavaVirtualMachines")) {
            assumeFalse(Files.isDirectory(Path.of(folder)), "this machine may have a JDK 25 in " + folder);
        }
        try (var children = Files.list(Path.of("/opt"))) {
            assumeFalse(
                    children.anyMatch(child -> child.getFileName().toString().startsWith("jdk")),
                    "this machine may have a JDK 25 in /opt");
        }
    }

    private Result dryRun(Map<String, String> env) throws Exception {
        Map<String, String> all = new HashMap<>(env);
        all.put("LLAVA_DRY_RUN", "1");
        return run(List.of(script.toString(), "--help"), all);
    }

    /** Runs with only the given environment, a home of its own and no JDK but the given ones. */
    private Result run(List<String> command, Map<String, String> env) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(command).directory(dir.toFile());
        Path err = Files.createTempFile(dir, "err", ".txt");
        Map<String, String> environment = builder.environment();
        environment.clear();
        environment.put("PATH", toolsWithout("mvn").toString());
        environment.put("HOME", dir.toRealPath().resolve("home").toString());
        environment.put("LLAVA_JVM_DIR", dir.resolve("none").toString());
        environment.putAll(env);
        Process process = builder.redirectError(err.toFile()).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Result(process.waitFor(), out.lines().toList(), Files.readString(err));
    }
}
