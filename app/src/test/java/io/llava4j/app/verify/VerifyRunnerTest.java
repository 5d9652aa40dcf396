package io.llava4j.app.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.llava4j.DataException;
import io.llava4j.app.verify.CaseResult.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VerifyRunnerTest {
    @TempDir
    Path dir;

    private final List<CaseResult> results = new ArrayList<>();

    /** Accepts folders that hold a file of its name. */
    private record Fake(String name, Consumer<Consumer<CaseResult>> cases) implements Suite {
        @Override
        public boolean accepts(Path dir) {
            return Files.exists(dir.resolve(name));
        }

        @Override
        public void run(Path dir, Consumer<CaseResult> out) {
            cases.accept(out);
        }
    }

    private final Fake boxes = new Fake("boxes", out -> out.accept(CaseResult.within("boxes", "one", 0, 0)));
    private final Fake broken = new Fake("broken", out -> {
        out.accept(CaseResult.within("broken", "before", 1e-6, 1e-5));
        throw new DataException("expected.json has no key 'hash'");
    });
    private final Fake idle = new Fake("idle", out -> {});

    @Test
    void runsTheFolderItself() throws IOException {
        Files.createFile(dir.resolve("boxes"));
        run();
        assertThat(results).extracting(CaseResult::name).containsExactly("one");
    }

    @Test
    void runsSubfoldersInOrderAndSkipsUnknownOnes() throws IOException {
        folder("b", "boxes");
        folder("a", "broken");
        folder("c", "something else");
        run();
        assertThat(results)
                .extracting(CaseResult::suite, CaseResult::name, CaseResult::status)
                .containsExactly(
                        tuple("broken", "before", Status.OK),
                        tuple("broken", "a", Status.FAIL),
                        tuple("boxes", "one", Status.OK),
                        tuple("unknown", "c", Status.SKIPPED));
        assertThat(results.get(1).detail()).isEqualTo("expected.json has no key 'hash'");
    }

    @Test
    void aSuiteWithoutCasesFails() throws IOException {
        Files.createFile(dir.resolve("idle"));
        run();
        assertThat(results).singleElement().satisfies(result -> {
            assertThat(result.status()).isEqualTo(Status.FAIL);
            assertThat(result.detail()).isEqualTo("the folder holds no case");
        });
    }

    @Test
    void unknownOrMissingFoldersAreErrors() throws IOException {
        folder("c", "something else");
        assertThatThrownBy(this::run)
                .isInstanceOf(DataException.class)
                .hasMessageContaining("known kind (boxes, broken, idle)");
        assertThatThrownBy(() -> new VerifyRunner(List.of(boxes)).run(dir.resolve("x"), results::add))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("no such folder");
        assertThat(results).isEmpty();
    }

    private void run() {
        new VerifyRunner(List.of(boxes, broken, idle)).run(dir, results::add);
    }

    private void folder(String name, String file) throws IOException {
        Files.createFile(Files.createDirectory(dir.resolve(name)).resolve(file));
    }
}
