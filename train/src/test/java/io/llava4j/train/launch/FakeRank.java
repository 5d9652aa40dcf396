package io.llava4j.train.launch;

import io.llava4j.ConfigException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A rank without a model: at each step it waits for the others, as a collective does, then writes the step into a file
 * of its own. Arguments: folder, then faults {@code WHAT:RANK:STEP}, which happen once, or every time if WHAT ends in +.
 */
final class FakeRank {
    private static final int STEPS = 6;
    private static final Map<String, String> ENV = System.getenv();
    private static final int RANK = Integer.parseInt(ENV.get("RANK"));
    private static final int WORLD = Integer.parseInt(ENV.get("WORLD_SIZE"));
    private static final long TIMEOUT = 1000L * Long.parseLong(ENV.get("LLAVA_DISTRIBUTED_TIMEOUT"));

    private final Path folder;
    private final List<String> faults;
    private final AtomicReference<Optional<Heartbeat.Waiting>> waiting = new AtomicReference<>(Optional.empty());
    private final AtomicBoolean stop = new AtomicBoolean();

    private FakeRank(Path folder, List<String> faults) {
        this.folder = folder;
        this.faults = faults;
    }

    public static void main(String[] args) throws Exception {
        boolean resume = args[0].equals("--resume");
        List<String> rest = Arrays.asList(args).subList(resume ? 1 : 0, args.length);
        new FakeRank(Path.of(rest.getFirst()), rest.subList(1, rest.size())).run(resume);
    }

    private void run(boolean resume) throws IOException, InterruptedException {
        sun.misc.Signal.handle(new sun.misc.Signal("TERM"), signal -> stop.set(true));
        try (Heartbeat heartbeat = Heartbeat.start(ENV, waiting::get)) {
            heartbeat.whenLauncherIsGone(() -> stop.set(true));
            System.err.println("contract " + RANK + "/" + WORLD + " local " + ENV.get("LOCAL_RANK") + " master "
                    + ENV.get("MASTER_ADDR") + " resume " + resume);
            Files.writeString(
                    process(RANK), Long.toString(ProcessHandle.current().pid()));
            int step = resume ? state(0) : 0; // all from the same checkpoint: that of rank 0
            Files.writeString(folder.resolve("state-" + RANK), Integer.toString(step));
            System.out.println("[Gloo] Rank " + RANK + " is connected to its peers"); // as the engine does, on stdout
            heartbeat.begin(step, STEPS);
            while (step < STEPS) {
                fault(step, heartbeat);
                together(step, heartbeat);
                step++;
                Files.writeString(folder.resolve("state-" + RANK), Integer.toString(step));
                heartbeat.step(new io.llava4j.train.run.TrainingListener.Step(
                        step,
                        STEPS,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        io.llava4j.train.run.Truncation.NONE,
                        Map.of(),
                        io.llava4j.train.run.feature.ImageFeatures.NONE,
                        0,
                        null,
                        0));
                if (stop.get()) {
                    System.err.println("saved at step " + step);
                    System.exit(130);
                }
            }
            if (RANK == 0) {
                System.out.println("the result");
            }
        }
    }

    private int state(int rank) throws IOException {
        Path file = folder.resolve("state-" + rank);
        String text = Files.exists(file) ? Files.readString(file) : "";
        return text.isEmpty() ? 0 : Integer.parseInt(text);
    }

    private Path process(int rank) {
        return folder.resolve("process-" + ENV.get("MASTER_PORT") + "-" + rank);
    }

    /** Whether a rank of this attempt has begun and ended, by which its connections break. */
    private boolean hasEnded(int rank) throws IOException {
        String pid = Files.exists(process(rank)) ? Files.readString(process(rank)) : "";
        return !pid.isEmpty()
                && ProcessHandle.of(Long.parseLong(pid))
                        .filter(ProcessHandle::isAlive)
                        .isEmpty();
    }

    /** Waits until every rank has reached the step in this attempt. */
    private void together(int step, Heartbeat heartbeat) throws IOException, InterruptedException {
        String attempt = ENV.get("MASTER_PORT");
        Files.writeString(folder.resolve("at-" + attempt + "-" + step + "-" + RANK), "");
        long start = System.nanoTime();
        waiting.set(Optional.of(new Heartbeat.Waiting("the all-reduce", start)));
        for (int rank = 0; rank < WORLD; rank++) {
            Path there = folder.resolve("at-" + attempt + "-" + step + "-" + rank);
            while (!Files.exists(there)) {
                Thread.sleep(5);
                if (hasEnded(rank) && !Files.exists(there)) {
                    heartbeat.lost("the connection to rank " + rank + " broke");
                    System.exit(1);
                }
                if ((System.nanoTime() - start) / 1_000_000 > TIMEOUT) {
                    heartbeat.lost("rank " + rank + " did not come");
                    System.exit(1);
                }
            }
        }
        waiting.set(Optional.empty());
    }

    private void fault(int step, Heartbeat heartbeat) throws IOException, InterruptedException {
        for (String fault : faults) {
            String[] parts = fault.split(":");
            if (Integer.parseInt(parts[1]) != RANK || Integer.parseInt(parts[2]) != step) {
                continue;
            }
            Path once = folder.resolve("done-" + fault.replace(':', '-'));
            if (!parts[0].endsWith("+")) {
                if (Files.exists(once)) {
                    continue;
                }
                Files.writeString(once, "");
            }
            System.err.println("fault " + fault);
            switch (parts[0].replace("+", "")) {
                case "kill" -> signal("KILL");
                case "freeze" -> signal("STOP");
                case "sleep" -> Thread.sleep(60_000);
                case "usage" -> System.exit(2);
                case "refuse" ->
                    heartbeat.during(() -> {
                        throw new ConfigException("a wrong recipe");
                    });
                case "fail" -> System.exit(1);
                case "pause" -> {
                    while (!stop.get()) {
                        Thread.sleep(5);
                    }
                }
                default -> throw new IllegalArgumentException(fault);
            }
        }
    }

    private static void signal(String name) throws IOException, InterruptedException {
        new ProcessBuilder(
                        "kill",
                        "-" + name,
                        Long.toString(ProcessHandle.current().pid()))
                .start()
                .waitFor();
        Thread.sleep(60_000);
    }
}
