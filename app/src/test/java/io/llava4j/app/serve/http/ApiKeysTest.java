package io.llava4j.app.serve.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.ConfigException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

class ApiKeysTest {
    @TempDir
    Path dir;

    private ApiKeys keys() throws IOException {
        return ApiKeys.read(Files.writeString(dir.resolve("keys"), "# ours\n\n  first-key \nsecond-key\n"));
    }

    @Test
    void everyKeyOfTheFileIsAccepted() throws IOException {
        assertThat(keys().isOpen()).isFalse();
        assertThat(keys().accepts("first-key")).isTrue();
        assertThat(keys().accepts("second-key")).isTrue();
    }

    @ParameterizedTest
    @NullSource
    @ValueSource(strings = {"", "first-ke", "first-key2", "First-key", " first-key", "# ours", "first-key\nsecond-key"})
    void nothingElseIs(@Nullable String key) throws IOException {
        assertThat(keys().accepts(key)).isFalse();
        assertThat(ApiKeys.NONE.accepts(key)).isTrue();
    }

    @Test
    void aFileThatIsNotThereIsNamed() {
        assertThatThrownBy(() -> ApiKeys.read(dir.resolve("none")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("none");
    }
}
