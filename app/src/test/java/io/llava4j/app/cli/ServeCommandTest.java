package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.TypeConversionException;

class ServeCommandTest {
    @TempDir
    Path dir;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--port=70000",
                "--parallel=0",
                "--queue=0",
                "--timeout=0",
                "--max-image-bytes=1G",
                "--cache-ram=much",
                "--cors=example.com"
            })
    void optionsOutOfRangeAreUsageErrors(String option) {
        CliRun run = CliRun.of("serve", "-m", dir, option);
        assertThat(run.code()).isEqualTo(2);
        assertThat(run.err()).contains(option.substring(0, option.indexOf('='))).contains("llava serve --help");
    }

    /** The server starts before the model is loaded; it ends with the reason why there is none. */
    @Test
    void aModelThatCannotBeLoadedEndsTheServer() {
        CliRun run = CliRun.of("serve", "-m", dir, "--port", 0);
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.err()).contains("llava: listening on http://127.0.0.1:", "holds no .safetensors");
    }

    @Test
    void aKeyFileWithoutKeysIsRefused() throws IOException {
        Path keys = Files.writeString(dir.resolve("keys"), "# none\n");
        CliRun run = CliRun.of("serve", "-m", dir, "--port", 0, "--api-key-file", keys);
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.err()).contains("holds no key");
    }

    @Test
    void optionsComeFromTheEnvironmentUnlessTheyAreGiven() {
        CommandLine root = Main.commandLine();
        CommandLine serve = Objects.requireNonNull(root.getSubcommands().get("serve"));
        serve.setDefaultValueProvider(new EnvironmentDefaults(
                Map.of("LLAVA_PORT", "81", "LLAVA_ALIAS", "a,b", "LLAVA_MAX_IMAGES", "2", "LLAVA_CACHE_RAM", "2G")));
        CommandLine.Model.CommandSpec spec = root.parseArgs("serve", "-m", dir.toString(), "--max-images", "3")
                .subcommand()
                .commandSpec();
        assertThat((int) spec.findOption("--port").getValue()).isEqualTo(81);
        assertThat((List<?>) spec.findOption("--alias").getValue()).isEqualTo(List.of("a", "b"));
        assertThat((int) spec.findOption("--max-images").getValue()).isEqualTo(3);
        assertThat((Long) spec.findOption("--cache-ram").getValue()).isEqualTo(2L << 30);
    }

    @Test
    void sizes() {
        ByteSize sizes = new ByteSize();
        assertThat(sizes.convert("512M")).isEqualTo(512L << 20);
        assertThat(sizes.convert("2GiB")).isEqualTo(2L << 30);
        assertThat(sizes.convert("100")).isEqualTo(100);
        assertThatThrownBy(() -> sizes.convert("-1")).isInstanceOf(TypeConversionException.class);
    }
}
