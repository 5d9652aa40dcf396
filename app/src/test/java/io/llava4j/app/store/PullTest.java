package io.llava4j.app.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.LlavaException;
import io.llava4j.io.Progress;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Pulling from a hub that works, and from one that breaks, lies or refuses. */
class PullTest {
    private static final RepoName REPO = new RepoName("some", "model", null);

    @TempDir
    Path dir;

    private final byte[] weights = new byte[50_000];
    private final List<String> log = new ArrayList<>();
    private HubServer hub;
    private ModelStore store;

    @BeforeEach
    void start() throws IOException {
        new Random(1).nextBytes(weights);
        hub = new HubServer()
                .file("some/model", "model.safetensors", weights)
                .file("some/model", "tokenizer_config.json", "{}")
                .file("some/model", "LICENSE.txt", "free")
                .file("some/model", ".gitattributes", "x")
                .file("some/model", "pytorch_model.bin", new byte[2000])
                .file("some/model", "pytorch_model.bin.index.json", "{}")
                .file("some/model", "tf_model.h5", new byte[2000])
                .file("some/model", "onnx/model.onnx", new byte[2000])
                .file("some/model", "training_args.bin", new byte[2000]);
        store = new ModelStore(dir.resolve("store"));
    }

    @AfterEach
    void stop() {
        hub.close();
    }

    private StoredModel pull(Map<String, String> environment, RepoName repo, String... files) {
        Progress.Display display = (what, unit) -> new Progress.Shown() {
            @Override
            public void update(long done, long total) {}

            @Override
            public void close() {}
        };
        return new Pull(store, Hub.of(environment), display, log::add, Duration.ofMillis(1))
                .model(repo, List.of(files));
    }

    private static RepoName at(String revision) {
        return new RepoName("some", "model", revision);
    }

    private StoredModel pull() {
        return pull(Map.of("HF_ENDPOINT", hub.address()), REPO);
    }

    private long requestsFor(String name) {
        return hub.requests.stream()
                .filter(each -> each.startsWith("storage") && each.contains("/" + name + " "))
                .count();
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void onlyWhatAModelNeedsIsPulled() throws IOException {
        StoredModel model = pull();
        assertThat(names(model.folder()))
                .containsExactly(".llava4j.json", "LICENSE.txt", "model.safetensors", "tokenizer_config.json");
        assertThat(model.folder().resolve("model.safetensors")).hasBinaryContent(weights);
        assertThat(model.folder()).isEqualTo(dir.resolve("store/some/model"));
        assertThat(model.bytes()).isEqualTo(50_000 + 2 + 4);
        assertThat(names(dir.resolve("store/.partial"))).isEmpty();
        assertThat(store.all()).singleElement().isEqualTo(model);
        assertThat(store.find(REPO)).contains(model);
    }

    @Test
    void binIsTakenWhereThereIsNothingElse() throws IOException {
        hub.file("other/clip", "pytorch_model.bin", new byte[3000]).file("other/clip", "flax_model.msgpack", "x");
        StoredModel model = pull(Map.of("HF_ENDPOINT", hub.address()), new RepoName("other", "clip", null));
        assertThat(names(model.folder())).containsExactly(".llava4j.json", "pytorch_model.bin");
    }

    @Test
    void aProjectorBesideSafetensorsIsTaken() throws IOException {
        hub.file("some/model", "mm_projector.bin", new byte[10]);
        assertThat(names(pull().folder())).contains("mm_projector.bin").doesNotContain("pytorch_model.bin");
    }

    @Test
    void ofSeveralGgufModelsOneIsNamed() throws IOException {
        hub.file("some/gguf", "model-q4_k.gguf", "a")
                .file("some/gguf", "model-f16.gguf", "b")
                .file("some/gguf", "mmproj-model-f16.gguf", "c")
                .file("some/gguf", "config.json", "{}");
        RepoName repo = new RepoName("some", "gguf", null);
        Map<String, String> environment = Map.of("HF_ENDPOINT", hub.address());
        assertThatThrownBy(() -> pull(environment, repo))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("--file")
                .hasMessageContaining("model-q4_k.gguf");
        assertThatThrownBy(() -> pull(environment, repo, "model-q8.gguf"))
                .hasMessageContaining("no file 'model-q8.gguf'");
        StoredModel model = pull(environment, repo, "model-q4_k.gguf", "mmproj-model-f16.gguf");
        assertThat(names(model.folder())).containsExactly(".llava4j.json", "mmproj-model-f16.gguf", "model-q4_k.gguf");
    }

    @Test
    void aBrokenConnectionIsResumedWhereItBroke() {
        hub.breaks.set(3);
        hub.breakAfter = 9000;
        assertThat(pull().folder().resolve("model.safetensors")).hasBinaryContent(weights);
        assertThat(hub.requests.stream().filter(each -> each.contains("range=bytes=")))
                .hasSize(6);
        assertThat(hub.requests).anyMatch(each -> each.startsWith("storage") && each.contains("range=bytes=9000-"));
    }

    @Test
    void aHubThatKnowsNoRangesIsReadFromTheStart() {
        hub.wholeFilesOnly = true;
        hub.breaks.set(1);
        assertThat(pull().folder().resolve("model.safetensors")).hasBinaryContent(weights);
    }

    @Test
    void aConnectionThatBreaksAgainAndAgainEndsInASentenceAndTheNextRunContinues() throws IOException {
        hub.breaks.set(1000);
        hub.breakAfter = 0;
        assertThatThrownBy(this::pull)
                .isInstanceOf(LlavaException.class)
                .hasMessageContaining("model.safetensors of some/model cannot be downloaded")
                .hasMessageContaining("continues where it stopped");
        assertThat(store.all()).isEmpty();
        assertThat(store.unfinished()).containsOnlyKeys("some/model");
        hub.breaks.set(0);
        hub.requests.clear();
        assertThat(pull().folder().resolve("model.safetensors")).hasBinaryContent(weights);
        assertThat(hub.requests).noneMatch(each -> each.contains("LICENSE"));
        assertThat(store.unfinished()).isEmpty();
    }

    @Test
    void aDamagedFileIsFetchedOnceMoreAndThenRefused() {
        hub.damages.set(1);
        assertThat(pull().folder().resolve("model.safetensors")).hasBinaryContent(weights);
        store.remove(REPO);
        hub.damages.set(2);
        assertThatThrownBy(this::pull)
                .hasMessageContaining("model.safetensors of some/model is damaged")
                .hasMessageContaining("SHA-256");
        assertThat(store.all()).isEmpty();
    }

    @Test
    void smallFilesAreCheckedByTheirGitHash() throws IOException {
        Path partial = Files.createDirectories(store.partial(REPO, hub.commit));
        Files.writeString(partial.resolve("LICENSE.txt.part"), "evil");
        assertThat(pull().folder().resolve("LICENSE.txt")).hasContent("free");
    }

    @Test
    void hashesThatTheHubDoesNotGiveAreReported() {
        hub.withoutHashes = true;
        pull();
        assertThat(log).singleElement().asString().contains("gives no hash of 3 files");
    }

    @Test
    void theTokenGoesToTheHubOnly() {
        hub.token = "secret";
        assertThatThrownBy(this::pull)
                .hasMessageContaining("gives no access to some/model")
                .hasMessageContaining("HF_TOKEN")
                .hasMessageContaining("is restricted");
        hub.requests.clear();
        Map<String, String> environment = Map.of("HF_ENDPOINT", hub.address() + "/", "HF_TOKEN", "secret");
        assertThat(pull(environment, REPO).folder()).exists();
        assertThat(hub.requests).anyMatch(each -> each.startsWith("storage"));
        assertThat(hub.requests).allMatch(each -> each.startsWith("storage") == each.endsWith("authorization=null"));
        Map<String, String> wrong = Map.of("HF_ENDPOINT", hub.address(), "HF_TOKEN", "other");
        assertThatThrownBy(() -> pull(wrong, REPO)).hasMessageContaining("the present HF_TOKEN may not");
        Map<String, String> broken = Map.of("HF_ENDPOINT", hub.address(), "HF_TOKEN", "a\nb");
        assertThatThrownBy(() -> pull(broken, REPO)).isInstanceOf(ConfigException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"file:///etc/passwd", "ftp://localhost/x", "//[", "gopher:x"})
    void aRedirectToSomethingElseIsRefused(String target) {
        hub.redirect = target;
        assertThatThrownBy(this::pull).isInstanceOf(LlavaException.class).hasMessageContaining("redirects to");
    }

    @Test
    void missingRepositoriesAndRevisionsAreNamed() {
        Map<String, String> environment = Map.of("HF_ENDPOINT", hub.address());
        assertThatThrownBy(() -> pull(environment, at("v2"))).hasMessage("some/model has no revision 'v2'");
        assertThatThrownBy(() -> pull(environment, new RepoName("no", "body", null)))
                .hasMessageContaining("has no no/body at revision 'main'");
        hub.close();
        assertThatThrownBy(this::pull).hasMessageContaining("cannot be reached");
        assertThatThrownBy(() -> Hub.of(Map.of("HF_ENDPOINT", "huggingface.co")))
                .isInstanceOf(ConfigException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"../config.json", "/etc/config.json", "a/../../b.json", "..\\b.json", "a//b", "C:b", "a\nb"})
    void aPathThatLeavesItsFolderEndsThePull(String name) throws IOException {
        hub.file("some/model", name, "{}");
        assertThatThrownBy(this::pull).isInstanceOf(DataException.class).hasMessageContaining("outside its folder");
        assertThat(store.all()).isEmpty();
        assertThat(dir.resolve("store")).doesNotExist();
    }

    @Test
    void aModelThatCannotBeUsedIsRefusedBeforeItsWeightsCome() {
        hub.file("some/model", "config.json", "{\"model_type\": \"mamba\"}");
        assertThatThrownBy(this::pull)
                .hasMessageContaining("no model that llava4j can use")
                .hasMessageContaining("mamba");
        assertThat(requestsFor("model.safetensors")).isZero();
    }

    @Test
    void aModelThatTheDiskCannotHoldIsRefusedBeforeItsWeightsCome() {
        hub.announced = 1L << 60;
        assertThatThrownBy(this::pull)
                .isInstanceOf(LlavaException.class)
                .hasMessageContaining(dir.resolve("store") + " needs 1,152,921,504,607 MB more and has ")
                .hasMessageContaining("LLAVA_MODELS");
        assertThat(requestsFor("model.safetensors")).isZero();
    }

    @Test
    void aSecondPullOfTheSameModelAtTheSameTimeIsRefused() throws IOException {
        Path partial = Files.createDirectories(store.partial(REPO, hub.commit));
        Path lock = partial.resolveSibling(partial.getFileName() + ".lock");
        try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock held = channel.lock()) {
            assertThat(held.isValid()).isTrue();
            assertThatThrownBy(this::pull).hasMessage("another process is pulling some/model; wait for it");
        }
        assertThat(pull().folder()).exists();
    }

    @Test
    void anotherPullGetsOnlyWhatChanged() throws IOException {
        pull();
        hub.requests.clear();
        pull();
        assertThat(log).containsExactly("some/model is up to date");
        assertThat(requestsFor("model.safetensors")).isZero();
        hub.commit = "fedcba9876543210fedcba9876543210fedcba98";
        hub.file("some/model", "LICENSE.txt", "not so free");
        StoredModel model = pull();
        assertThat(requestsFor("model.safetensors")).isZero();
        assertThat(model.commit()).isEqualTo(hub.commit);
        assertThat(model.folder().resolve("LICENSE.txt")).hasContent("not so free");
        assertThat(model.folder().resolve("model.safetensors")).hasBinaryContent(weights);
        assertThat(names(dir.resolve("store/.partial"))).isEmpty();
    }

    @Test
    void revisionsLieBesideEachOther() {
        StoredModel main = pull();
        StoredModel pinned = pull(Map.of("HF_ENDPOINT", hub.address()), at(hub.commit));
        assertThat(pinned.folder()).isNotEqualTo(main.folder()).exists();
        assertThat(store.all()).hasSize(2);
        assertThat(store.find(REPO)).contains(main);
        assertThat(store.find(at(hub.commit))).contains(pinned);
        store.remove(REPO);
        assertThat(store.find(REPO)).contains(pinned);
    }

    @Test
    void removingFreesEverything() throws IOException {
        StoredModel model = pull();
        assertThat(store.remove(REPO)).isEqualTo(model.bytes());
        assertThat(names(dir.resolve("store"))).containsExactly(".partial");
        assertThatThrownBy(() -> store.remove(REPO)).hasMessageContaining("no model some/model was pulled");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"model", "a/b/c", "../b", "a/..", "/a", "a/", "a b/c", "a/b@", "a/b@../c", "a--b/c", "a/b\n"})
    void whatIsNoNameIsNone(String text) {
        assertThat(RepoName.parse(text)).isEmpty();
    }
}
