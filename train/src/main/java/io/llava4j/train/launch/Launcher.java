package io.llava4j.train.launch;

import io.llava4j.LlavaException;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;

/** Runs a plan: as launcher 0, which decides, or as the launcher of another node. */
public final class Launcher {
    private Launcher() {}

    /**
     * How a launch ended.
     *
     * @param code exit code: 0, that of the rank which failed first, or 130 after a stop
     * @param canRestart whether another launch could go better; known to launcher 0
     */
    public record Ended(int code, boolean canRestart) {}

    /**
     * Starts the ranks and waits for their end.
     *
     * @param plan which and how many
     * @param version of this program; the same on all nodes
     * @param command of a rank, given whether it continues from the newest checkpoint
     * @param output receives what ranks print
     * @param log receives sentences for the user
     * @param stopRequested true ends the run with a checkpoint
     * @throws LlavaException if nodes do not come together
     */
    public static Ended run(
            LaunchPlan plan,
            String version,
            Function<Boolean, List<String>> command,
            Worker.Output output,
            Consumer<String> log,
            BooleanSupplier stopRequested) {
        LocalNode local = new LocalNode(plan, command::apply, output, stopRequested);
        try {
            if (plan.node() > 0) {
                return new Ended(new NodeClient(plan, local, version, log).run(), true);
            }
            try (Rendezvous rendezvous = new Rendezvous(plan, version)) {
                return new Coordinator(plan, local, rendezvous, log).run();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LlavaException("the launcher was interrupted", e);
        } finally {
            local.stop(true);
        }
    }
}
