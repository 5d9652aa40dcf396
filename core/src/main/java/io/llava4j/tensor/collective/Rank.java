package io.llava4j.tensor.collective;

import io.llava4j.ConfigException;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * Where a process stands among those that train together; launchers such as torchrun and SLURM's set the same variables of the
 * environment.
 *
 * @param rank {@code RANK}, from 0; rank 0 writes logs and models
 * @param worldSize {@code WORLD_SIZE}, the number of processes on all machines
 * @param localRank {@code LOCAL_RANK}, from 0 on each machine; the number of its GPU
 * @param masterAddress {@code MASTER_ADDR}, the machine of rank 0
 * @param masterPort {@code MASTER_PORT}, on which rank 0 listens
 * @param timeout how long a process waits for the others
 */
public record Rank(int rank, int worldSize, int localRank, String masterAddress, int masterPort, Duration timeout) {
    /** How long a process waits for the others, unless it is told otherwise. */
    public static final Duration TIMEOUT = Duration.ofMinutes(10);

    private static final List<String> VARIABLES =
            List.of("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT");

    public Rank {
        require(worldSize >= 1, "WORLD_SIZE is " + worldSize + "; set it to the number of processes");
        require(
                rank >= 0 && rank < worldSize,
                "RANK is %d, but ranks of WORLD_SIZE %d are 0 to %d".formatted(rank, worldSize, worldSize - 1));
        require(
                localRank >= 0 && localRank < worldSize,
                "LOCAL_RANK is %d, but it must be from 0 to WORLD_SIZE - 1 = %d".formatted(localRank, worldSize - 1));
        require(!masterAddress.isBlank(), "MASTER_ADDR is empty; set it to the machine of rank 0");
        require(
                masterPort >= 1 && masterPort <= 65535,
                "MASTER_PORT is %d; choose a free port from 1 to 65535".formatted(masterPort));
        require(timeout.isPositive(), "the timeout is " + timeout.toSeconds() + " s; it must be positive");
    }

    /** The only process. */
    public static Rank alone() {
        return new Rank(0, 1, 0, "127.0.0.1", 29500, TIMEOUT);
    }

    /**
     * Reads the five variables.
     *
     * @return {@link #alone} if none of them is set
     * @throws ConfigException if only some are set, or one has no sensible value
     */
    public static Rank fromEnvironment(Map<String, String> env) {
        List<String> missing =
                VARIABLES.stream().filter(name -> !env.containsKey(name)).toList();
        if (missing.size() == VARIABLES.size()) {
            return alone();
        }
        require(
                missing.isEmpty(),
                "%s is not set, but %s is; set RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT, or none of them to train in one process"
                        .formatted(
                                String.join(", ", missing),
                                VARIABLES.stream()
                                        .filter(env::containsKey)
                                        .findFirst()
                                        .orElseThrow()));
        return new Rank(
                number(env, "RANK"),
                number(env, "WORLD_SIZE"),
                number(env, "LOCAL_RANK"),
                env.getOrDefault("MASTER_ADDR", ""),
                number(env, "MASTER_PORT"),
                TIMEOUT);
    }

    /** The same place with another timeout. */
    public Rank withTimeout(Duration other) {
        return new Rank(rank, worldSize, localRank, masterAddress, masterPort, other);
    }

    /** Whether this process writes logs and models. */
    public boolean isFirst() {
        return rank == 0;
    }

    /** Whether there is no other process. */
    public boolean isAlone() {
        return worldSize == 1;
    }

    private static int number(Map<String, String> env, String name) {
        String value = env.getOrDefault(name, "");
        try {
            return Integer.parseInt(value.strip());
        } catch (NumberFormatException e) {
            throw new ConfigException("%s is '%s', which is no whole number".formatted(name, value), e);
        }
    }

    private static void require(boolean holds, String problem) {
        if (!holds) {
            throw new ConfigException(problem);
        }
    }
}
