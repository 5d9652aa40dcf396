package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/**
 * The files of examples/cluster: what their schemas require is there, and the commands in them are commands of this program. No
 * cluster has run them here.
 */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the commands are those of a shell")
class ClusterExamplesTest {
    private static final Path EXAMPLES = Path.of("..", "examples", "cluster");

    @TempDir
    Path dir;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "jobset.yaml | jobset.x-k8s.io/v1alpha2 | JobSet | /spec/replicatedJobs/0/name,"
                        + "/spec/replicatedJobs/0/template/spec/template/spec/containers/0/name,"
                        + "/spec/replicatedJobs/0/template/spec/template/spec/containers/0/image,"
                        + "/spec/replicatedJobs/0/template/spec/template/spec/restartPolicy,/spec/network/subdomain",
                "trainjob.yaml | trainer.kubeflow.org/v1alpha1 | TrainJob | /spec/runtimeRef/name,/spec/trainer/image,"
                        + "/spec/trainer/numNodes,/spec/trainer/numProcPerNode",
            })
    void requiredFieldsAreThere(String file, String version, String kind, String fields) {
        JsonNode manifest = read(file);
        assertThat(manifest.path("apiVersion").asString()).isEqualTo(version);
        assertThat(manifest.path("kind").asString()).isEqualTo(kind);
        assertThat(manifest.at("/metadata/name").asString()).matches("[a-z0-9]([-a-z0-9]*[a-z0-9])?");
        for (String field : fields.strip().split(",")) {
            assertThat(manifest.at(field.strip()).isMissingNode()).as(field).isFalse();
        }
    }

    @Test
    void thePodsOfAJobSetMeetAtTheNameOfTheFirst() throws Exception {
        JsonNode spec = read("jobset.yaml").path("spec");
        JsonNode job = spec.at("/replicatedJobs/0/template/spec");
        String first = "%s-%s-0-0.%s"
                .formatted(
                        read("jobset.yaml").at("/metadata/name").asString(),
                        spec.at("/replicatedJobs/0/name").asString(),
                        spec.at("/network/subdomain").asString());
        JsonNode container = job.at("/template/spec/containers/0");
        List<String> command = command(container.at("/args/0").asString(), Map.of("JOB_COMPLETION_INDEX", "1"));
        assertThat(option(command, "--rendezvous"))
                .isEqualTo(first + ":" + container.at("/ports/0/containerPort").asInt());
        assertThat(option(command, "--nodes"))
                .isEqualTo(job.path("completions").asString())
                .isEqualTo(job.path("parallelism").asString());
        assertThat(option(command, "--node-rank")).isEqualTo("1");
        assertThat(option(command, "--processes"))
                .isEqualTo(container.at("/resources/limits/nvidia.com~1gpu").asString());
        assertThat(job.path("completionMode").asString()).isEqualTo("Indexed");
        parse(command);
    }

    @Test
    void aTrainJobTakesItsPlaceFromKubeflow() throws Exception {
        List<String> command = command(
                read("trainjob.yaml").at("/spec/trainer/args/0").asString(),
                Map.of(
                        "PET_NNODES", "2",
                        "PET_NODE_RANK", "0",
                        "PET_NPROC_PER_NODE", "8",
                        "PET_MASTER_ADDR", "llava-node-0-0.llava",
                        "PET_MASTER_PORT", "29500"));
        assertThat(option(command, "--rendezvous")).isEqualTo("llava-node-0-0.llava:29500");
        assertThat(option(command, "--nodes")).isEqualTo("2");
        parse(command);
    }

    /** A stand-in for srun starts the tasks with the variables that SLURM sets. */
    @Test
    void everyTaskOfTheSlurmScriptIsALauncher() throws Exception {
        Path script = EXAMPLES.resolve("slurm.sbatch").toAbsolutePath();
        Matcher options =
                Pattern.compile("(?m)^#SBATCH --([a-z-]+)(?:=(\\S+))?$").matcher(Files.readString(script));
        Map<String, String> sbatch = new TreeMap<>();
        while (options.find()) {
            sbatch.put(options.group(1), String.valueOf(options.group(2)));
        }
        Path bin = Files.createDirectories(dir.resolve("bin"));
        executable(bin.resolve("srun"), """
                #!/bin/sh
                [ "$1" = --kill-on-bad-exit=1 ] || exit 9
                shift
                for task in 0 1; do
                  SLURM_PROCID=$task SLURM_LOCALID=0 SLURM_NTASKS=%s "$@" || exit
                done
                """.formatted(sbatch.get("nodes")));
        executable(dir.resolve("llava"), """
                #!/bin/sh
                echo "task $SLURM_PROCID of $SLURM_NTASKS"
                printf '%s\\n' "$@"
                """);
        ProcessBuilder builder = new ProcessBuilder("bash", script.toString(), "--set", "seed=7");
        builder.environment().put("PATH", bin + ":" + System.getenv("PATH"));
        builder.environment().put("SLURM_SUBMIT_DIR", dir.toString());
        List<String> lines = output(builder);
        List<String> command = lines.subList(1, lines.indexOf("task 1 of 2"));
        assertThat(lines).startsWith("task 0 of 2", "launch", "--slurm");
        assertThat(sbatch).containsEntry("ntasks-per-node", "1");
        assertThat(option(command, "--processes")).isEqualTo(sbatch.get("gpus-per-node"));
        assertThat(command).endsWith("--set", "seed=7");
        assertThat(Path.of("..").resolve(command.get(command.indexOf("train") + 1)))
                .exists();
        parse(command);
    }

    private static JsonNode read(String file) {
        return new YAMLMapper().readTree(EXAMPLES.resolve(file).toFile());
    }

    /** The words that the shell makes of a command line. */
    private List<String> command(String line, Map<String, String> variables) throws IOException, InterruptedException {
        executable(dir.resolve("llava"), "#!/bin/sh\nprintf '%s\\n' \"$@\"\n");
        ProcessBuilder builder = new ProcessBuilder("sh", "-c", line).directory(dir.toFile());
        builder.environment().putAll(variables);
        return output(builder);
    }

    private static List<String> output(ProcessBuilder builder) throws IOException, InterruptedException {
        Process process = builder.redirectErrorStream(true).start();
        List<String> lines = new String(
                        process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8)
                .lines()
                .toList();
        assertThat(process.waitFor()).as(lines.toString()).isZero();
        return new ArrayList<>(lines);
    }

    private static void executable(Path file, String text) throws IOException {
        assertThat(Files.writeString(file, text).toFile().setExecutable(true)).isTrue();
    }

    private static String option(List<String> command, String name) {
        return command.get(command.indexOf(name) + 1);
    }

    /** What cannot be understood is an exception. */
    private static void parse(List<String> command) {
        assertThat(command).startsWith("launch");
        Main.commandLine().parseArgs(command.toArray(String[]::new));
        List<String> train = command.subList(command.indexOf("train"), command.size());
        Main.commandLine().parseArgs(train.toArray(String[]::new));
    }
}
