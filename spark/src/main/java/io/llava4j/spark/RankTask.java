package io.llava4j.spark;

import io.llava4j.tensor.collective.ReservedPort;
import io.llava4j.train.launch.HostPort;
import io.llava4j.train.launch.LaunchPlan;
import io.llava4j.train.launch.Launcher;
import io.llava4j.train.launch.Worker;
import java.io.Serializable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.apache.spark.BarrierTaskContext;

/**
 * A task of the barrier stage: the launcher of one rank. That of task 0 decides, as that of node 0 does in {@code llava launch --nodes};
 * it watches the ranks of all and names the one that fails. It does not start them again: that is for the driver, which can choose
 * other machines.
 *
 * @param program of every rank
 * @param job name of this attempt; launchers of others are refused
 * @param timeout how long a rank or task may be silent or be waited for
 * @param resume whether the ranks continue from the newest checkpoint
 */
record RankTask(RankProgram program, String job, Duration timeout, boolean resume) implements Serializable {
    /**
     * How the ranks ended.
     *
     * @param code exit code of the launch
     * @param canRestart whether another attempt could go better
     * @param results what rank 0 printed on stdout
     * @param sentences what the launcher says, last lines of a rank that failed included
     */
    record Outcome(int code, boolean canRestart, List<String> results, List<String> sentences)
            implements Serializable {}

    /** Runs the rank of this task; all tasks of the stage run at the same time. */
    Outcome run(BarrierTaskContext context) {
        String[] hosts = Arrays.stream(context.getTaskInfos())
                .map(task -> HostPort.parse(task.address()).host())
                .toArray(String[]::new);
        int task = context.partitionId();
        int before = count(hosts, task, task);
        int here = count(hosts, task, hosts.length);
        // Reserved until the stage has ended, so that nobody gets the port before launcher 0 listens on it.
        try (ReservedPort port = new ReservedPort()) {
            String first = context.allGather(task == 0 ? Integer.toString(port.number()) : "")[0];
            LaunchPlan plan = new LaunchPlan(
                    1, hosts.length, task, before, new HostPort(hosts[0], Integer.parseInt(first)), 0, timeout);
            Printed printed = new Printed(Collections.synchronizedList(new ArrayList<>()));
            List<String> sentences = Collections.synchronizedList(new ArrayList<>());
            Launcher.Ended ended = Launcher.run(
                    plan,
                    job,
                    ignored -> program.command(resume, context.cpus(), here, System.getenv()),
                    printed,
                    sentences::add,
                    context::isInterrupted);
            return new Outcome(
                    ended.code(), ended.canRestart(), List.copyOf(printed.results()), List.copyOf(sentences));
        }
    }

    /** Tasks before another one that run on the host of this one. */
    private static int count(String[] hosts, int task, int end) {
        return (int) Arrays.stream(hosts, 0, end).filter(hosts[task]::equals).count();
    }

    /** Log lines go to the log of the executor, results to the driver. */
    private record Printed(List<String> results) implements Worker.Output {
        @Override
        public void log(int rank, String line) {
            System.err.println("[rank " + rank + "] " + line);
        }

        @Override
        public void result(int rank, String line) {
            if (rank == 0) {
                results.add(line);
            } else {
                log(rank, line);
            }
        }
    }
}
