package io.llava4j.train.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.ConfigException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Numbers and addresses that a launcher takes from the command line and from SLURM, and gives to its ranks. */
class ContractTest {
    @Test
    void ranksAreCountedOverNodes() {
        LaunchPlan plan = new LaunchPlan(4, 3, 2, 0, new HostPort("a", 29_500), 0, Duration.ofSeconds(90));
        assertThat(plan.environment(1, new HostPort("a", 4711)))
                .isEqualTo(Map.of(
                        "RANK", "9",
                        "WORLD_SIZE", "12",
                        "LOCAL_RANK", "1",
                        "MASTER_ADDR", "a",
                        "MASTER_PORT", "4711",
                        "LLAVA_DISTRIBUTED_TIMEOUT", "90"));
    }

    @ParameterizedTest
    @CsvSource({
        "0, 1, 0, 0, 1, --processes",
        "2000, 1, 0, 0, 1, --processes",
        "1, 0, 0, 0, 1, --nodes",
        "1, 2, 2, 0, 1, --node-rank",
        "1, 2, -1, 0, 1, --node-rank",
        "1, 2, 0, 0, 1, --rendezvous",
        "1, 1, 0, -1, 1, --restarts",
        "1, 1, 0, 0, 0, --timeout",
        "1, 1, 0, 0, -5, --timeout",
    })
    void impossibleNumbersAreRefused(int processes, int nodes, int node, int restarts, int timeout, String option) {
        assertThatThrownBy(() -> new LaunchPlan(processes, nodes, node, 0, null, restarts, Duration.ofSeconds(timeout)))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(option);
    }

    @ParameterizedTest
    @CsvSource({"node0:29500, node0, 29500", "10.0.0.7:1, 10.0.0.7, 1", "[fe80::1]:65535, fe80::1, 65535"})
    void addresses(String text, String host, int port) {
        assertThat(HostPort.parse(text)).isEqualTo(new HostPort(host, port)).hasToString(text);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "node0", "node0:", ":29500", "node0:0", "node0:65536", "a b:1", "fe80::1:7", "node0:-1"})
    void otherAddressesAreRefused(String text) {
        assertThatThrownBy(() -> HostPort.parse(text))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("HOST:PORT");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "node7; node7",
                "gpu[01-04,7]; gpu01",
                "gpu[01-04,7],login1; gpu01",
                "ip-10-0-0-[9,12-14]; ip-10-0-0-9",
                "a.example.org,b.example.org; a.example.org",
                "rack[2-3]node[10-11]; rack2node10",
                "n[5]-ib; n5-ib",
            })
    void firstHostOfSlurm(String list, String first) {
        assertThat(SlurmEnvironment.firstHost(list)).isEqualTo(first);
    }

    @Test
    void slurmVariables() {
        Map<String, String> env = new HashMap<>(Map.of(
                "SLURM_NTASKS", "4",
                "SLURM_PROCID", "3",
                "SLURM_LOCALID", "1",
                "SLURM_JOB_NODELIST", "gpu[3-4]",
                "SLURM_JOB_ID", "123456"));
        SlurmEnvironment task = SlurmEnvironment.of(env);
        assertThat(task).isEqualTo(new SlurmEnvironment(4, 3, 1, "gpu3", 123_456));
        assertThat(task.rendezvous()).isEqualTo(new HostPort("gpu3", 23_456));
        env.put("SLURM_STEP_NODELIST", "gpu4");
        assertThat(SlurmEnvironment.of(env).firstHost()).isEqualTo("gpu4");
        for (String name : env.keySet().toArray(String[]::new)) {
            Map<String, String> wrong = new HashMap<>(env);
            wrong.remove("SLURM_STEP_NODELIST");
            wrong.put(name, "x y");
            if (!name.equals("SLURM_STEP_NODELIST")) {
                assertThatThrownBy(() -> SlurmEnvironment.of(wrong))
                        .isInstanceOf(ConfigException.class)
                        .hasMessageContaining(name)
                        .hasMessageContaining("srun");
            }
        }
    }
}
