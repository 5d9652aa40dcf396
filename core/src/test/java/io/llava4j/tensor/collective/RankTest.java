package io.llava4j.tensor.collective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.ConfigException;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RankTest {
    private static final Map<String, String> ENV =
            Map.of("RANK", "1", "WORLD_SIZE", "4", "LOCAL_RANK", "0", "MASTER_ADDR", "node-0", "MASTER_PORT", "29500");

    @Test
    void nothingSetIsOneProcess() {
        assertThat(Rank.fromEnvironment(Map.of("PATH", "/bin"))).isEqualTo(Rank.alone());
        assertThat(Rank.alone().isAlone()).isTrue();
    }

    @Test
    void allSetIsThisProcess() {
        assertThat(Rank.fromEnvironment(ENV)).isEqualTo(new Rank(1, 4, 0, "node-0", 29500, Rank.TIMEOUT));
    }

    @Test
    void someSetIsAnError() {
        Map<String, String> env = new HashMap<>(ENV);
        env.remove("WORLD_SIZE");
        env.remove("MASTER_PORT");

        assertThatThrownBy(() -> Rank.fromEnvironment(env))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("WORLD_SIZE, MASTER_PORT is not set, but RANK is");
    }

    @ParameterizedTest
    @CsvSource({
        "RANK,4,RANK is 4",
        "RANK,-1,RANK is -1",
        "RANK,one,RANK is 'one'",
        "WORLD_SIZE,0,WORLD_SIZE is 0",
        "LOCAL_RANK,4,LOCAL_RANK is 4",
        "MASTER_PORT,70000,MASTER_PORT is 70000",
        "MASTER_ADDR,'',MASTER_ADDR is empty"
    })
    void wrongValuesAreNamed(String name, String value, String message) {
        Map<String, String> env = new HashMap<>(ENV);
        env.put(name, value);

        assertThatThrownBy(() -> Rank.fromEnvironment(env))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(message);
    }
}
