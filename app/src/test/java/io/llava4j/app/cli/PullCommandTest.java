package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.app.store.HubServer;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.CheckpointWriter;
import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.checkpoint.safetensors.SafeTensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The command in a process of its own, with its own variables: pulling, asking what was pulled, removing it. */
class PullCommandTest {
    @TempDir
    static Path shared;

    private static Path whole;
    private static Path bare;
    private static Path tower;

    @TempDir
    Path dir;

    private HubServer hub;

    @BeforeAll
    static void make() throws IOException {
        whole = TinyModel.write(shared);
        bare = Files.createDirectory(shared.resolve("bare"));
        tower = shared.resolve("tower");
        try (Checkpoint model = Checkpoint.open(whole)) {
            Predicate<TensorEntry> isTower = tensor -> tensor.name().startsWith(CanonicalNames.TOWER);
            CheckpointWriter.save(tower, new ModelKind.Clip(model.config().vision()), null, tensors(model, isTower));
            SafeTensorsWriter.write(bare.resolve("model.safetensors"), tensors(model, isTower.negate()), Map.of());
        }
        for (String file : List.of("tokenizer.model", "tokenizer_config.json")) {
            if (Files.exists(whole.resolve(file))) {
                Files.copy(whole.resolve(file), bare.resolve(file));
            }
        }
        JsonMapper mapper = JsonMapper.builder().build();
        ObjectNode config =
                (ObjectNode) mapper.readTree(whole.resolve("config.json").toFile());
        config.remove("vision_config");
        config.put("mm_vision_tower", "open/tower");
        Files.write(bare.resolve("config.json"), mapper.writeValueAsBytes(config));
    }

    private static List<TensorSource> tensors(Checkpoint model, Predicate<TensorEntry> wanted) {
        List<TensorSource> tensors = new ArrayList<>();
        model.tensors().values().stream().filter(wanted).map(TensorSource::of).forEach(tensors::add);
        return tensors;
    }

    @BeforeEach
    void start() throws IOException {
        hub = new HubServer();
        add("some/whole", whole);
        add("some/bare", bare);
        add("open/tower", tower);
    }

    @AfterEach
    void stop() {
        hub.close();
    }

    private void add(String repository, Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                hub.file(repository, file.getFileName().toString(), Files.readAllBytes(file));
            }
        }
    }

    private Process begin(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(dir.toFile())
                .redirectOutput(dir.resolve("out.txt").toFile())
                .redirectError(dir.resolve("err.txt").toFile());
        builder.environment().remove("HF_TOKEN");
        builder.environment().put("HF_ENDPOINT", hub.address());
        builder.environment().put("LLAVA_MODELS", dir.resolve("models").toString());
        return builder.start();
    }

    private CliRun run(String... arguments) throws IOException, InterruptedException {
        int code = begin(arguments).waitFor();
        return new CliRun(code, Files.readString(dir.resolve("out.txt")), Files.readString(dir.resolve("err.txt")));
    }

    @Test
    void whatWasPulledIsAskedByItsNameOrByNone() throws IOException, InterruptedException {
        CliRun none = run("generate", "what?");
        assertThat(none.code()).as(none.err()).isEqualTo(2);
        assertThat(none.err()).contains("no model is named with -m").contains("llava pull");
        assertThat(run("models").out())
                .contains("No model was pulled yet")
                .contains(dir.resolve("models").toString());
        assertThat(run("models", "--json").json().path("models")).isEmpty();
        CliRun missing = run("generate", "-m", "some/whole", "what?");
        assertThat(missing.code()).isEqualTo(2);
        assertThat(missing.err()).contains("no model of that name was pulled; 'llava pull some/whole' pulls it");

        CliRun pull = run("pull", "some/whole");
        assertThat(pull.code()).as(pull.err()).isZero();
        assertThat(pull.out())
                .contains("some/whole")
                .contains(dir.resolve("models/some/whole").toString());
        assertThat(run("pull", "open/tower").code()).isZero(); // newer, but it cannot answer
        CliRun direct = run("generate", "-m", whole.toString(), "--max-new-tokens", "5", "what?");
        assertThat(direct.code()).as(direct.err()).isZero();
        assertThat(direct.out()).isNotBlank();
        CliRun named = run("generate", "-m", "some/whole", "--max-new-tokens", "5", "what?");
        assertThat(named.out()).isEqualTo(direct.out());
        for (List<String> unnamed : List.of(List.of("generate"), List.of("generate", "-m"))) {
            List<String> line = new ArrayList<>(unnamed);
            line.addAll(List.of("--max-new-tokens", "5", "what?"));
            CliRun run = run(line.toArray(String[]::new));
            assertThat(run.out()).isEqualTo(direct.out());
            assertThat(run.err()).contains("no model is named; using some/whole");
        }
        assertThat(run("inspect", "some/whole").code()).isZero();

        JsonNode model = run("models", "--json").json().path("models").get(1); // the newest stands first
        assertThat(model.path("repository").asString()).isEqualTo("some/whole");
        assertThat(model.path("commit").asString()).isEqualTo(hub.commit);
        assertThat(Path.of(model.path("path").asString())).isDirectory();
        CliRun removed = run("models", "rm", "some/whole");
        assertThat(removed.out()).contains("some/whole removed");
        assertThat(run("generate", "what?").err()).contains("no model is named with -m");
        assertThat(Path.of(model.path("path").asString())).doesNotExist();
        assertThat(run("models", "rm", "some/whole").code()).isEqualTo(1);
    }

    @Test
    void aTowerThatAModelOnlyNamesIsPulledWithIt() throws IOException, InterruptedException {
        CliRun pull = run("pull", "some/bare");
        assertThat(pull.code()).as(pull.err()).isZero();
        assertThat(pull.err()).contains("some/bare holds no vision tower; pulling the one that it names, open/tower");
        String wanted = run("generate", "-m", whole.toString(), "--max-new-tokens", "5", "what?")
                .out();
        CliRun asked = run("generate", "-m", "some/bare", "--max-new-tokens", "5", "what?");
        assertThat(asked.out()).as(asked.err()).isEqualTo(wanted);
        assertThat(run("generate", "--max-new-tokens", "5", "what?").err()).contains("using some/bare");
        assertThat(run("models").out()).contains("open/tower").contains("(vision tower)");
        assertThat(run("models", "rm", "open/tower").err()).contains("is the vision tower of some/bare");
        assertThat(run("models", "rm", "some/bare").code()).isZero();
        assertThat(run("models").out()).contains("No model was pulled yet");
    }

    @Test
    void aKilledPullContinues() throws IOException, InterruptedException {
        hub.heldAfter = 3 * 8192;
        Process process = begin("pull", "some/whole");
        Path partial = dir.resolve("models/.partial/some--whole--" + hub.commit);
        Path part = partial.resolve("model.safetensors.part");
        for (int i = 0; i < 3000 && (!Files.exists(part) || Files.size(part) < 8192); i++) {
            Thread.sleep(20);
        }
        process.destroyForcibly().waitFor();
        long there = Files.size(part);
        assertThat(there).isBetween(8192L, Files.size(whole.resolve("model.safetensors")) - 1);
        assertThat(run("models").out()).contains("some/whole: 0 MB of an unfinished download");
        assertThat(run("generate", "-m", "some/whole", "what?").err()).contains("no model of that name was pulled");
        hub.heldAfter = 0;
        hub.requests.clear();
        CliRun again = run("pull", "some/whole");
        assertThat(again.code()).as(again.err()).isZero();
        assertThat(hub.requests).anyMatch(each -> each.contains("range=bytes=" + there + "-"));
        assertThat(dir.resolve("models/some/whole/model.safetensors"))
                .hasSameBinaryContentAs(whole.resolve("model.safetensors"));
    }

    @Test
    void wrongCommandLinesAreUsageErrors() throws IOException, InterruptedException {
        assertThat(run("pull", "llava").code()).isEqualTo(2);
        assertThat(run("pull", "a/b@x", "--revision", "y").err()).contains("two revisions are named");
        CliRun unknown = run("pull", "some/whole", "--revision", "v9");
        assertThat(unknown.code()).isEqualTo(1);
        assertThat(unknown.err()).contains("some/whole has no revision 'v9'");
    }
}
