package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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

    private static CommandLine.Model.CommandSpec parsed(Map<String, String> environment, Object... arguments) {
        CommandLine root = Main.commandLine();
        ServeCommand.readSettings(root, environment);
        List<String> line = new ArrayList<>(List.of("serve"));
        Stream.of(arguments).map(String::valueOf).forEach(line::add);
        return root.parseArgs(line.toArray(String[]::new)).subcommand().commandSpec();
    }

    /** Command line, environment, file, default: the first that has an option decides it. */
    @Test
    void optionsHaveFourSources() throws IOException {
        Path file = Files.writeString(
                dir.resolve("serve.yaml"),
                "# settings\nport: 82\nmax-images: 1\nqueue: 5\ncache-ram: 3G\nallow-image-urls: true\n"
                        + "cors: [https://a.example, https://b.example]\nmodel: " + dir + "\nhost:\n");
        Map<String, String> environment =
                Map.of("LLAVA_PORT", "81", "LLAVA_ALIAS", "a,b", "LLAVA_MAX_IMAGES", "2", "LLAVA_CACHE_RAM", "2G");
        for (boolean named : new boolean[] {true, false}) {
            Map<String, String> variables = new HashMap<>(environment);
            List<Object> line = new ArrayList<>(List.of("--max-images", 3));
            if (named) {
                line.addAll(List.of("--config", file));
            } else {
                variables.put("LLAVA_CONFIG", file.toString());
            }
            CommandLine.Model.CommandSpec spec = parsed(variables, line.toArray());
            assertThat((int) spec.findOption("--max-images").getValue()).isEqualTo(3);
            assertThat((int) spec.findOption("--port").getValue()).isEqualTo(81);
            assertThat((List<?>) spec.findOption("--alias").getValue()).isEqualTo(List.of("a", "b"));
            assertThat((Long) spec.findOption("--cache-ram").getValue()).isEqualTo(2L << 30);
            assertThat((int) spec.findOption("--queue").getValue()).isEqualTo(5);
            assertThat((boolean) spec.findOption("--allow-image-urls").getValue())
                    .isTrue();
            assertThat((List<?>) spec.findOption("--cors").getValue())
                    .isEqualTo(List.of("https://a.example", "https://b.example"));
            assertThat((Path) spec.findOption("--model").getValue()).isEqualTo(dir);
            assertThat((String) spec.findOption("--host").getValue()).isEqualTo("127.0.0.1");
            assertThat((int) spec.findOption("--parallel").getValue()).isEqualTo(4);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "prot: 1|unknown key 'prot'; did you mean 'port'?",
                "port: high|Invalid value for option '--port': 'high' is not an int (in ",
                "port: {a: 1}|port is a section; write a value",
                "port: 1\\nport: 2|is not valid YAML at line 2",
                "[]|holds no keys",
                "port: 99999|--port is a number from 0 to 65535",
                "config: other.yaml|unknown key 'config'"
            })
    void aWrongSettingsFileIsAUsageError(String content, String message) throws IOException {
        Path file = Files.writeString(dir.resolve("serve.yaml"), content.replace("\\n", "\n") + "\n");
        CliRun run = CliRun.of("serve", "-m", dir, "--config", file);
        assertThat(run.code()).isEqualTo(2);
        assertThat(run.err()).contains(message);
        CliRun missing = CliRun.of("serve", "-m", dir, "--config", dir.resolve("none.yaml"));
        assertThat(missing.code()).isEqualTo(2);
        assertThat(missing.err()).contains("none.yaml does not exist; check --config");
    }

    /** Whatever address it listens on, the page's address that it prints can be opened on this machine. */
    @ParameterizedTest
    @CsvSource({
        "127.0.0.1,127.0.0.1",
        "localhost,127.0.0.1",
        "0.0.0.0,127.0.0.1",
        "::,127.0.0.1",
        "::1,[0:0:0:0:0:0:0:1]",
        "192.0.2.7,192.0.2.7"
    })
    void thePageHasAnAddressThatCanBeOpened(String host, String shown) throws IOException {
        assertThat(ServeCommand.shown(InetAddress.getByName(host))).isEqualTo(shown);
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
