package io.llava4j.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigurationPageTest {
    private static final String WRITE = "configuration.write";

    @TempDir
    private Path folder;

    @Test
    void thePageSaysWhatTheCodeDoes() throws IOException {
        String page = new ConfigurationPage(new ConfigurationDefaults(folder)).write();
        if (Boolean.getBoolean(WRITE)) {
            Files.writeString(ConfigurationPage.file(), page);
        }
        assertThat(ConfigurationPage.current())
                .as("docs/configuration.md is out of date; regenerate it with: mvn -pl app -am test"
                        + " -Dtest=ConfigurationPageTest -Dsurefire.failIfNoSpecifiedTests=false -D" + WRITE + "=true")
                .isEqualTo(page);
    }
}
