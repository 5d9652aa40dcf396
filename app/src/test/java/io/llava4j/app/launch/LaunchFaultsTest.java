package io.llava4j.app.launch;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.app.cli.Main;
import io.llava4j.tensor.collective.ReservedPort;
import io.llava4j.train.launch.HostPort;
import io.llava4j.train.launch.LaunchPlan;
import io.llava4j.train.launch.Launcher;
import io.llava4j.train.launch.Worker;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.recipe.TrainConfig;
import io.llava4j.train.run.TinyRun;
import io.llava4j.train.run.TrainingRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Faults of {@code llava launch --processes 2 train} on a tiny model; what is left must equal a run without faults. */
@EnabledOnOs(value = OS.LINUX, disabledReason = "finds ranks in /proc")
@Timeout(600)
class LaunchFaultsTest {
    private static final String MODEL = "model/model.safetensors";

    @TempDir
    private static Path root;

    private static TinyRun tiny;

    private final List<String> said = new CopyOnWriteArrayList<>();
    private final List<String> logs = new CopyOnWriteArrayList<>();

    @BeforeAll
    static void write() {
        tiny = new TinyRun(root);
    }

    /** Bytes of the model of one process with twice the accumulation, which two processes leave as well. */
    private static byte[] unbroken(int steps) throws IOException {
        Path model = root.resolve("unbroken-" + steps).resolve(MODEL);
        if (Files.exists(model)) {
            return Files.readAllBytes(model);
        }
        TrainConfig config = tiny.recipe("finetune", "plain", "unbroken-" + steps, settings(steps, 2));
        assertThat(TrainingRun.run(config, Objectives::create, false, step -> {}, () -> false))
                .isTrue();
        return Files.readAllBytes(model);
    }

    private static Map<String, String> settings(int steps, int accumulation) {
        return Map.of(
                "schedule.max-steps", "" + steps,
                "checkpoint.every-steps", "2",
                "batch.accumulation", "" + accumulation);
    }

    private static RankCommand command(String output, int steps, String... more) {
        tiny.recipe("finetune", "plain", output, Map.of());
        List<String> arguments =
                new ArrayList<>(List.of("train", root.resolve(output + ".yaml").toString()));
        settings(steps, 1).forEach((key, value) -> arguments.addAll(List.of("--set", key + "=" + value)));
        for (String setting : more) {
            arguments.addAll(List.of("--set", setting));
        }
        return new RankCommand(Main.class, arguments, 2);
    }

    private int launch(LaunchPlan plan, RankCommand ranks, UnaryOperator<List<String>> as) {
        Worker.Output output = new Worker.Output() {
            @Override
            public void log(int rank, String line) {
                logs.add(rank + ": " + line);
            }

            @Override
            public void result(int rank, String line) {
                logs.add(rank + ": " + line);
            }
        };
        return Launcher.run(plan, "1", resume -> as.apply(quick(ranks.of(resume))), output, said::add, () -> false)
                .code();
    }

    private static LaunchPlan two(int restarts) {
        return LaunchPlan.oneNode(2, restarts, Duration.ofSeconds(120));
    }

    /** The same command with a compiler that does not take long, and without agents: killed ones leave broken files. */
    private static List<String> quick(List<String> command) {
        List<String> all = new ArrayList<>(command);
        all.removeIf(argument -> argument.startsWith("-javaagent:"));
        all.addAll(1, List.of("-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED"));
        return all;
    }

    @Test
    void aRunGoesOnAfterKillsAsIfNothingHadHappened() throws IOException {
        requireEqualAfterKills(2, 20);
    }

    @Test
    @Tag("launch")
    void aRunGoesOnAfterTwentyKillsAsIfNothingHadHappened() throws IOException {
        requireEqualAfterKills(20, 120);
    }

    /** A rank is killed with signal 9 at a random moment of a random step; once more when the run has got further. */
    private void requireEqualAfterKills(int kills, int steps) throws IOException {
        byte[] whole = unbroken(steps);
        Random random = new Random(kills);
        for (int run = 0; killsSaid() < kills; run++) {
            String output = "killed-%d-%d".formatted(kills, run);
            Thread killer = Thread.ofPlatform().daemon().start(() -> {
                int from = 0;
                while (killsSaid() < kills) {
                    from = killOne(output, from + random.nextInt(4), random);
                }
            });
            assertThat(launch(two(kills), command(output, steps), command -> command))
                    .as(said::toString)
                    .isZero();
            killer.interrupt();
            assertThat(root.resolve(output).resolve(MODEL)).hasBinaryContent(whole);
        }
        assertThat(killsSaid()).isEqualTo(kills);
    }

    /** The deaths that the launcher has named. A rank that it was ending already when it was killed is none of them. */
    private long killsSaid() {
        return said.stream()
                .filter(line -> line.contains("was killed by signal 9"))
                .count();
    }

    /** Kills a rank after a step, and waits until the launcher names it or has started another; the step that was reached. */
    private int killOne(String output, int after, Random random) {
        while (true) {
            pause(2);
            int step = steps(root.resolve(output).resolve("metrics.jsonl"));
            if (step > after) {
                pause(random.nextInt(40));
                int number = random.nextInt(2);
                Optional<ProcessHandle> rank = rank(number);
                if (rank.isPresent()) {
                    long before = killsSaid();
                    rank.get().destroyForcibly();
                    rank.get().onExit().join();
                    while (killsSaid() == before && rank(number).isEmpty()) {
                        pause(2);
                    }
                    return step;
                }
            }
        }
    }

    private static int steps(Path metrics) {
        try (Stream<String> lines = Files.lines(metrics)) {
            return (int) lines.count();
        } catch (IOException | java.io.UncheckedIOException e) {
            return 0; // not there yet
        }
    }

    private static void pause(int millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Optional<ProcessHandle> rank(int rank) {
        return ProcessHandle.current()
                .children()
                .filter(child -> environment(child).contains("\0RANK=" + rank + "\0"))
                .findFirst();
    }

    private static String environment(ProcessHandle process) {
        try {
            return "\0" + Files.readString(Path.of("/proc", "" + process.pid(), "environ"));
        } catch (IOException e) {
            return ""; // gone
        }
    }

    /** Rank 1 cannot write more than 64 KiB into a file, in the first attempt only. */
    @Test
    void aFullDiskOfOneRankLeavesNoBrokenCheckpoint() throws IOException {
        byte[] whole = unbroken(20);
        Path mark = root.resolve("disk-was-full");
        String limited =
                "if [ $RANK = 1 ] && [ ! -e %1$s ]; then : > %1$s; exec prlimit --fsize=65536 \"$@\"; fi; exec \"$@\""
                        .formatted(mark);
        int code = launch(two(1), command("full", 20), command -> {
            List<String> all = new ArrayList<>(List.of("sh", "-c", limited, "sh"));
            all.addAll(command);
            return all;
        });
        assertThat(said.getFirst()).startsWith("rank 1 ended with exit code 1").contains("; restart 1 of 1");
        assertThat(logs)
                .anyMatch(line -> line.contains("rank 1 cannot save its part of") && line.contains("File too large"));
        assertThat(code).isZero();
        assertThat(root.resolve("full").resolve(MODEL)).hasBinaryContent(whole);
        try (Stream<Path> left = Files.list(root.resolve("full/checkpoints"))) {
            assertThat(left.map(file -> file.getFileName().toString())).allMatch(name -> name.startsWith("step-"));
        }
    }

    /** A node whose ranks have another recipe: all end at once, on both nodes with the same code, and not again. */
    @Test
    void aNodeWithAnotherRecipeEndsTheRun() throws Exception {
        try (ReservedPort port = new ReservedPort()) {
            HostPort at = new HostPort("127.0.0.1", port.number());
            RankCommand own = command("other", 20);
            RankCommand other = command("other", 20, "seed=43");
            CompletableFuture<Integer> second = CompletableFuture.supplyAsync(
                    () -> launch(node(1, at), other, command -> command),
                    task -> Thread.ofPlatform().daemon().start(task));
            assertThat(launch(node(0, at), own, command -> command)).isEqualTo(1);
            assertThat(second.get()).isEqualTo(1);
        }
        assertThat(logs)
                .anyMatch(line -> line.contains("has another recipe than rank 0: seed (43 there, 42 on rank 0)"));
        assertThat(said).noneMatch(line -> line.contains("; restart "));
        assertThat(root.resolve("other/model")).doesNotExist();
    }

    private static LaunchPlan node(int node, HostPort at) {
        return new LaunchPlan(1, 2, node, 0, at, 3, Duration.ofSeconds(120));
    }

    /** A wrong recipe, or images that are not there: neither would be better in another attempt. */
    @ParameterizedTest
    @CsvSource({"batch.per-devise=2, batch.per-devise", "data.images=., does not exist in ."})
    void whatCannotBeUsedIsNotTriedAgain(String setting, String message) {
        assertThat(launch(two(3), command("wrong", 20, setting), command -> command))
                .isEqualTo(1);
        assertThat(said).noneMatch(line -> line.contains("; restart "));
        assertThat(logs).anyMatch(line -> line.contains(message));
    }
}
