package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What cannot be trained ends {@code llava launch} as it ends {@code llava train}: with the same code and reason, at once. */
class LaunchCommandTest {
    @TempDir
    Path dir;

    @ParameterizedTest
    @CsvSource({
        "1, recipe.yaml, unknown key 'no-key'",
        "2, recipe.yaml --accept-changes, --accept-changes needs --resume",
    })
    void ranksThatAllRefuseGiveTheCodeOfTrain(int code, String arguments, String reason) throws IOException {
        Files.writeString(dir.resolve("recipe.yaml"), "stage: finetune\nno-key: 1\n");
        List<Object> train = new ArrayList<>(List.of("train"));
        train.addAll(Arrays.asList(
                arguments.replace("recipe.yaml", dir + "/recipe.yaml").split(" ")));
        CliRun alone = CliRun.of(train.toArray());
        assertThat(alone.code()).isEqualTo(code);
        assertThat(alone.err()).contains(reason);

        train.addAll(0, List.of("launch", "-n", 2));
        CliRun launched = CliRun.of(train.toArray());
        assertThat(launched.code()).isEqualTo(code);
        assertThat(launched.err())
                .contains(reason)
                .containsPattern("llava: rank [01] ended with exit code %d before the first step".formatted(code))
                .doesNotContain("restart");
    }

    @Test
    void whatTheLauncherItselfCannotReadIsOneSentence() {
        CliRun run = CliRun.of("launch", "-n", 2, "train", "recipe.yaml", "--no-option");
        assertThat(run.code()).isEqualTo(2);
        assertThat(run.err()).isEqualTo("llava: Unknown option: '--no-option'. Try 'llava train --help'.\n");
        assertThat(CliRun.of("launch", "-n", 0, "train", "recipe.yaml").code()).isEqualTo(2);
    }
}
