package io.llava4j.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.ConfigException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class BenchmarkTest {
    @Test
    void rendersTheResponseFormat() {
        assertThat(Benchmark.POPE.render("Is there a dog in the image?"))
                .isEqualTo("Is there a dog in the image?\nAnswer the question using a single word or phrase.");
        assertThat(Benchmark.VQAV2.decoding().maxNewTokens()).isEqualTo(128);
        assertThatThrownBy(() -> Benchmark.named("popo"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("'popo'; there are [vqav2, pope]");
    }

    @Test
    void scoresAnswerFilesAgainstOfficialFolders() {
        Path vqa = Goldens.path("evalgold/vqav2");
        Score score = Benchmark.VQAV2.scorer().score(vqa, vqa.resolve("answers.jsonl"));
        assertThat(score.value()).isEqualTo(36.36);
        assertThat(score.numbers()).containsEntry("answer_type/number", 47.31);
        assertThat(score.warnings()).hasSize(4);

        Path pope = Goldens.path("evalgold/pope");
        assertThat(Benchmark.POPE
                        .scorer()
                        .score(pope, pope.resolve("answers.jsonl"))
                        .value())
                .isEqualTo(0.675003110613413);
    }
}
