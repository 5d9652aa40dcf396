package io.llava4j.train.launch;

import io.llava4j.ConfigException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What one launcher starts, and where it stands among the launchers of other nodes.
 *
 * @param processes started by this launcher
 * @param nodes number of launchers
 * @param node this launcher, from 0
 * @param firstLocalRank LOCAL_RANK of this launcher's first process; not 0 where several launchers share a machine
 * @param rendezvous where launcher 0 listens; null for one node
 * @param restarts attempts after the first one
 * @param timeout how long a rank or node may be silent, or be waited for
 */
public record LaunchPlan(
        int processes,
        int nodes,
        int node,
        int firstLocalRank,
        @Nullable HostPort rendezvous,
        int restarts,
        Duration timeout) {
    /** Attempts after the first one, unless the user says otherwise. */
    public static final int RESTARTS = 3;

    /** How long a rank may be silent, unless the user says otherwise. */
    public static final int TIMEOUT_SECONDS = 600;

    private static final int MOST_PROCESSES = 1024;
    private static final int MOST_NODES = 10_000;
    /** The recipe's {@code distributed.timeout}. */
    private static final String TIMEOUT = "LLAVA_DISTRIBUTED_TIMEOUT";

    /** Checks every value. */
    public LaunchPlan {
        require(processes >= 1 && processes <= MOST_PROCESSES, "--processes is between 1 and " + MOST_PROCESSES);
        require(nodes >= 1 && nodes <= MOST_NODES, "--nodes is between 1 and " + MOST_NODES);
        require(
                node >= 0 && node < nodes,
                "--node-rank is %d; with --nodes %d it is between 0 and %d".formatted(node, nodes, nodes - 1));
        require(
                nodes == 1 || rendezvous != null,
                "--nodes %d needs --rendezvous HOST:PORT, the address of node 0".formatted(nodes));
        require(restarts >= 0, "--restarts is 0 or more");
        require(!timeout.isNegative() && !timeout.isZero(), "--timeout is positive");
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new ConfigException(otherwise);
        }
    }

    /** One node, one machine. */
    public static LaunchPlan oneNode(int processes, int restarts, Duration timeout) {
        return new LaunchPlan(processes, 1, 0, 0, null, restarts, timeout);
    }

    int worldSize() {
        return processes * nodes;
    }

    /** Rank of this launcher's first process. */
    int firstRank() {
        return node * processes;
    }

    /**
     * The contract that every rank reads: {@code RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR, MASTER_PORT}.
     *
     * @param local index of the process within this launcher
     * @param master where rank 0 keeps the store of the process group
     */
    public Map<String, String> environment(int local, HostPort master) {
        Map<String, String> environment = new LinkedHashMap<>();
        environment.put("RANK", Integer.toString(firstRank() + local));
        environment.put("WORLD_SIZE", Integer.toString(worldSize()));
        environment.put("LOCAL_RANK", Integer.toString(firstLocalRank + local));
        environment.put("MASTER_ADDR", master.host());
        environment.put("MASTER_PORT", Integer.toString(master.port()));
        environment.put(TIMEOUT, Long.toString(Math.max(1, timeout.toSeconds())));
        return environment;
    }
}
