package io.llava4j.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Replays the kept inputs of every fuzz target: seeds, and whatever fuzzing has found. */
class FuzzRegressionTest {
    private static final Path INPUTS = Path.of("src/test/resources/fuzz");

    private static final Map<String, Consumer<byte[]>> TARGETS = Map.of(
            "SafeTensorsFuzz", SafeTensorsFuzz::fuzzerTestOneInput,
            "TorchBinFuzz", TorchBinFuzz::fuzzerTestOneInput,
            "GgufFuzz", GgufFuzz::fuzzerTestOneInput,
            "TokenizerModelFuzz", TokenizerModelFuzz::fuzzerTestOneInput,
            "ImageFuzz", ImageFuzz::fuzzerTestOneInput);

    @TestFactory
    Stream<DynamicTest> keptInputs() throws IOException {
        assertThat(list(INPUTS))
                .extracting(folder -> folder.getFileName().toString())
                .as("a folder of inputs for every target, and a target for every folder")
                .containsExactlyInAnyOrderElementsOf(TARGETS.keySet());
        return list(INPUTS).stream().flatMap(folder -> inputs(folder));
    }

    private static Stream<DynamicTest> inputs(Path folder) {
        String name = folder.getFileName().toString();
        Consumer<byte[]> target = Objects.requireNonNull(TARGETS.get(name));
        return list(folder).stream()
                .map(input -> DynamicTest.dynamicTest(
                        name + "/" + input.getFileName(),
                        () -> Assertions.assertTimeoutPreemptively(
                                Duration.ofSeconds(30), () -> target.accept(Files.readAllBytes(input)))));
    }

    private static List<Path> list(Path folder) {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
