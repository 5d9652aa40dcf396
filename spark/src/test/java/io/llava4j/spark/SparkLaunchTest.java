package io.llava4j.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.ConfigException;
import io.llava4j.LlavaException;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.recipe.TrainConfig;
import io.llava4j.train.run.TinyRun;
import io.llava4j.train.run.TrainingRun;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Trains a tiny model in the two tasks of a barrier stage; what is left must equal the model of one process. */
@EnabledOnOs(value = OS.LINUX, disabledReason = "finds ranks and executors in /proc")
@Timeout(280)
class SparkLaunchTest {
    private static final String MODEL = "model/model.safetensors";
    private static final int STEPS = 30;

    /** The first attempt cannot end before something is killed. */
    private static final String HELD = "hold=12";

    @TempDir
    private static Path root;

    private static TinyRun tiny;
    private static byte[] whole;

    private final List<String> printed = new ArrayList<>();
    private final List<String> said = new CopyOnWriteArrayList<>();

    @BeforeAll
    static void trainInOneProcess() throws IOException {
        tiny = new TinyRun(root);
        TrainConfig config = tiny.recipe("finetune", "plain", "unbroken", settings(2));
        assertThat(TrainingRun.run(config, Objectives::create, false, step -> {}, () -> false))
                .isTrue();
        whole = Files.readAllBytes(root.resolve("unbroken").resolve(MODEL));
    }

    private static Map<String, String> settings(int accumulation) {
        return Map.of(
                "schedule.max-steps", "" + STEPS,
                "checkpoint.every-steps", "2",
                "batch.accumulation", "" + accumulation);
    }

    /** A script in place of the installed command. */
    private static RankProgram program(String name, String script, List<String> arguments) throws IOException {
        Path file = Files.writeString(root.resolve(name), "#!/bin/sh\n" + script + "\n");
        assertThat(file.toFile().setExecutable(true)).isTrue();
        return new RankProgram(file.toString(), root.toString(), arguments);
    }

    /** Relative paths begin at the folder of the program. */
    private static RankProgram training(String output, String... more) throws IOException {
        tiny.recipe("finetune", "plain", output, Map.of());
        List<String> arguments = new ArrayList<>(List.of("train", output + ".yaml"));
        settings(1).forEach((key, value) -> arguments.add(key + "=" + value));
        arguments.addAll(List.of(more));
        return program(
                "llava",
                "TORCH_CPP_LOG_LEVEL=ERROR exec %s/bin/java -XX:TieredStopAtLevel=1 --enable-native-access=ALL-UNNAMED $LLAVA_JAVA_OPTS -cp %s %s \"$@\""
                        .formatted(
                                System.getProperty("java.home"),
                                System.getProperty("java.class.path"),
                                TrainedRank.class.getName()),
                arguments);
    }

    private static SparkConf conf(String master, int timeout) {
        return SparkLaunch.conf(Duration.ofSeconds(timeout))
                .setMaster(master)
                .set("spark.ui.enabled", "false")
                .set("spark.driver.host", "127.0.0.1")
                .set("spark.driver.bindAddress", "127.0.0.1")
                .set("spark.local.dir", root.resolve("spark").toString());
    }

    private int run(SparkConf conf, int timeout, RankProgram program) {
        try (JavaSparkContext spark = new JavaSparkContext(conf)) {
            return new SparkLaunch(spark, 2, 2, Duration.ofSeconds(timeout), printed::add, said::add).run(program);
        }
    }

    /** Ends a process with signal 9 as soon as the run has done some steps. */
    private static Thread killing(String output, Predicate<ProcessHandle> which) {
        return Thread.ofPlatform().daemon().start(() -> {
            while (true) {
                try {
                    Thread.sleep(2);
                    List<ProcessHandle> found = steps(output) < 5
                            ? List.of()
                            : ProcessHandle.current()
                                    .descendants()
                                    .filter(which)
                                    .toList();
                    if (!found.isEmpty()) {
                        found.getFirst().destroyForcibly();
                        return;
                    }
                } catch (InterruptedException e) {
                    return;
                }
            }
        });
    }

    private static int steps(String output) {
        try (Stream<String> lines = Files.lines(root.resolve(output).resolve("metrics.jsonl"))) {
            return (int) lines.count();
        } catch (IOException | UncheckedIOException e) {
            return 0; // not there yet
        }
    }

    private static String read(ProcessHandle process, String file) {
        try {
            return Files.readString(Path.of("/proc", "" + process.pid(), file));
        } catch (IOException e) {
            return ""; // it has ended
        }
    }

    @Test
    @Tag("launch")
    void aKilledRankChangesNothing() throws Exception {
        Thread killer = killing("rank", process -> ("\0" + read(process, "environ")).contains("\0RANK=1\0"));
        assertThat(run(conf("local[2]", 120), 120, training("rank", HELD)))
                .as(said::toString)
                .isZero();
        killer.join(60_000);
        assertThat(said)
                .anyMatch(line -> line.matches("rank 1 was killed by signal 9 at step \\d+ of " + STEPS + ".*"))
                .contains("restart 1 of 2 from the newest checkpoint");
        assertThat(printed).containsExactly(root.resolve("rank/model").toString());
        assertThat(root.resolve("rank").resolve(MODEL)).hasBinaryContent(whole);
    }

    /** Its rank notices, as its launcher ends with the executor; the other ranks are ended by the task beside it. */
    @Test
    void aKilledExecutorChangesNothing() throws Exception {
        Path home = root.resolve("home");
        Files.createDirectories(home.resolve("jars")); // empty: executors get this test's class path
        Files.createDirectories(home.resolve("launcher/target/scala-2.13"));
        System.setProperty("spark.testing", "true");
        System.setProperty("spark.test.home", home.toString());
        Thread killer =
                killing("executor", process -> read(process, "cmdline").contains("CoarseGrainedExecutorBackend"));
        try {
            SparkConf conf = conf("local-cluster[2,1,1024]", 120)
                    .set("spark.executor.memory", "1g")
                    .set("spark.executorEnv.JAVA_HOME", System.getProperty("java.home"))
                    .set("spark.executor.extraClassPath", System.getProperty("java.class.path"));
            assertThat(run(conf, 120, training("executor", HELD)))
                    .as(said::toString)
                    .isZero();
        } finally {
            System.clearProperty("spark.testing");
            System.clearProperty("spark.test.home");
        }
        killer.join(60_000);
        assertThat(killer.isAlive()).as("an executor was killed").isFalse();
        assertThat(said).contains("restart 1 of 2 from the newest checkpoint");
        assertThat(root.resolve("executor").resolve(MODEL)).hasBinaryContent(whole);
    }

    @Test
    void ranksReadTheContractAndAWrongRecipeIsNotTriedAgain() throws Exception {
        String script =
                "echo \"$RANK $WORLD_SIZE $LOCAL_RANK $MASTER_ADDR $MASTER_PORT $PWD $* $LLAVA_JAVA_OPTS\" >> seen\n"
                        + "until [ $(wc -l < seen) = 2 ]; do sleep 0.1; done; exit 2";
        assertThat(run(conf("local[2]", 60), 60, program("wrong", script, List.of("train", "recipe.yaml"))))
                .isEqualTo(2);
        List<String> seen = Files.readAllLines(root.resolve("seen"));
        String port = seen.getFirst().split(" ")[4];
        assertThat(seen)
                .containsExactlyInAnyOrder(
                        "0 2 0 127.0.0.1 %s %s train recipe.yaml -XX:ActiveProcessorCount=1".formatted(port, root),
                        "1 2 1 127.0.0.1 %s %s train recipe.yaml -XX:ActiveProcessorCount=1".formatted(port, root));
        assertThat(said).singleElement().asString().matches("rank [01] ended with exit code 2 before the first step");
        assertThat(printed).isEmpty();
    }

    @Test
    void aStageIsNotTriedAgainForEver() throws Exception {
        String script = "[ $RANK = 1 ] && exec sleep 60; echo \"$*\" >> tried; echo no disk >&2; exit 1";
        assertThat(run(conf("local[2]", 60), 60, program("broken", script, List.of("train", "recipe.yaml"))))
                .isEqualTo(1);
        assertThat(said).filteredOn(line -> line.startsWith("restart")).hasSize(2);
        assertThat(said).contains("  | no disk");
        assertThat(Files.readAllLines(root.resolve("tried")))
                .containsExactly("train recipe.yaml", "train recipe.yaml --resume", "train recipe.yaml --resume");
    }

    @Test
    void aClusterWithoutRoomForAllRanksIsOneSentence() throws Exception {
        RankProgram program = program("never", "exit 0", List.of("train", "recipe.yaml"));
        assertThatThrownBy(() -> run(conf("local[1]", 2), 2, program))
                .isInstanceOf(LlavaException.class)
                .hasMessageContaining("no room for 2 tasks at the same time within 2 s");
    }

    @Test
    void whatAStageCannotRepeatIsRefused() {
        assertThatThrownBy(new RankProgram("llava", "/", List.of("eval", "all"))::check)
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("'eval' cannot be launched");
        assertThatThrownBy(new RankProgram("llava", "/", List.of("train", "r.yaml", "--overwrite"))::check)
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("delete the run directory");
    }
}
