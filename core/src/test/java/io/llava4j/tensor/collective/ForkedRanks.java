package io.llava4j.tensor.collective;

import io.llava4j.io.AtomicFiles;
import io.llava4j.tensor.Engine;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;

/** Runs a main class in several processes of their own, which find RANK, WORLD_SIZE and the like in their environment. */
public final class ForkedRanks implements AutoCloseable {
    private static final int SECONDS = 180;
    private static final String GATE = "RANKS_GATE";

    private final List<Process> processes = new ArrayList<>();
    private final List<CompletableFuture<String>> outputs = new ArrayList<>();
    private final List<CompletableFuture<String>> errors = new ArrayList<>();
    private final ReservedPort port = new ReservedPort();
    private final Path gate;

    /** What a process left. */
    public record Ended(int exitCode, String output, String errors) {}

    private ForkedRanks() {
        try {
            gate = Files.createTempDirectory("ranks");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Starts {@code count} processes and waits for their ends. */
    public static List<Ended> run(int count, Class<?> main, String... arguments) {
        try (ForkedRanks ranks = start(count, main, arguments)) {
            return ranks.await();
        }
    }

    /** As {@link #run}, and every process must end with exit code 0; their outputs. */
    public static List<String> succeed(int count, Class<?> main, String... arguments) {
        List<Ended> ended = run(count, main, arguments);
        for (Ended each : ended) {
            if (each.exitCode() != 0) {
                throw new AssertionError("a process ended with " + ended);
            }
        }
        return ended.stream().map(Ended::output).toList();
    }

    /** Starts {@code count} processes. */
    public static ForkedRanks start(int count, Class<?> main, String... arguments) {
        ForkedRanks ranks = new ForkedRanks();
        for (int rank = 0; rank < count; rank++) {
            ranks.start(rank, count, Map.of(), main, arguments);
        }
        return ranks;
    }

    /** No process yet; {@link #start(int, int, Map, Class, String...)} adds them. */
    public static ForkedRanks none() {
        return new ForkedRanks();
    }

    /** Starts one process, with other variables of the environment than the usual ones if given. */
    public Process start(int rank, int worldSize, Map<String, String> env, Class<?> main, String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Xmx512m",
                "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0", // else four times the heap, which models exceed
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                main.getName()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment()
                .putAll(Map.of(
                        "RANK",
                        "" + rank,
                        "WORLD_SIZE",
                        "" + worldSize,
                        "LOCAL_RANK",
                        "" + rank,
                        "MASTER_ADDR",
                        "127.0.0.1",
                        "MASTER_PORT",
                        "" + port.number(),
                        "OMP_WAIT_POLICY",
                        "passive",
                        "TORCH_CPP_LOG_LEVEL",
                        "ERROR",
                        GATE,
                        gate.toString()));
        builder.environment().putAll(env);
        try {
            Process process = builder.start();
            processes.add(process);
            outputs.add(reading(process.getInputStream()));
            errors.add(reading(process.getErrorStream()));
            return process;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * In a forked process: waits until as many processes are here, each with the engine loaded. What follows does not depend on how long
     * the start of a process takes.
     */
    static void awaitOthers(int processes) {
        Engine.device("cpu");
        Path gate = Path.of(System.getenv(GATE));
        try {
            Files.createFile(gate.resolve("" + ProcessHandle.current().pid()));
            while (Objects.requireNonNull(gate.toFile().list()).length < processes) {
                Thread.sleep(5);
            }
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Waits for the ends of all processes. */
    public List<Ended> await() {
        return IntStream.range(0, processes.size()).mapToObj(this::await).toList();
    }

    /** Waits for the end of one process, by the order of their starts. */
    public Ended await(int started) {
        Process process = processes.get(started);
        try {
            boolean over = process.waitFor(SECONDS, TimeUnit.SECONDS);
            if (!over) {
                process.destroyForcibly();
            }
            return new Ended(
                    over ? process.exitValue() : -1,
                    outputs.get(started).get(SECONDS, TimeUnit.SECONDS),
                    errors.get(started).get(SECONDS, TimeUnit.SECONDS));
        } catch (InterruptedException | java.util.concurrent.ExecutionException | TimeoutException e) {
            throw new AssertionError(e);
        }
    }

    /** On a thread of its own: the end of a stopped process's output does not come. */
    private static CompletableFuture<String> reading(java.io.InputStream stream) {
        return CompletableFuture.supplyAsync(
                () -> text(stream), task -> Thread.ofPlatform().daemon().start(task));
    }

    private static String text(java.io.InputStream stream) {
        try (stream) {
            return new String(stream.readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        processes.forEach(Process::destroyForcibly);
        port.close();
        AtomicFiles.deleteDirectory(gate);
    }
}
