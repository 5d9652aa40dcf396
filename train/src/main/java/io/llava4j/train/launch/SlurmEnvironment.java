package io.llava4j.train.launch;

import io.llava4j.ConfigException;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Where a task of SLURM's {@code srun} stands: each task runs one launcher.
 *
 * @param tasks SLURM_NTASKS: number of launchers
 * @param task SLURM_PROCID
 * @param localTask SLURM_LOCALID: which of the launchers of this machine
 * @param firstHost first name of SLURM_STEP_NODELIST or SLURM_JOB_NODELIST, where task 0 runs
 * @param job SLURM_JOB_ID
 */
public record SlurmEnvironment(int tasks, int task, int localTask, String firstHost, long job) {
    private static final int FIRST_PORT = 20_000;
    private static final int PORTS = 10_000;
    /** Numbers in brackets, such as {@code [01-04,7]}; the first one is the group. */
    private static final Pattern NUMBERS = Pattern.compile("\\[(\\w+)[^\\]]*]");

    /**
     * Reads SLURM's variables.
     *
     * @throws ConfigException if one is missing or no number, which means that {@code srun} did not start this process
     */
    public static SlurmEnvironment of(Map<String, String> env) {
        return new SlurmEnvironment(
                number(env, "SLURM_NTASKS"),
                number(env, "SLURM_PROCID"),
                number(env, "SLURM_LOCALID"),
                firstHost(env.getOrDefault("SLURM_STEP_NODELIST", env.getOrDefault("SLURM_JOB_NODELIST", ""))),
                number(env, "SLURM_JOB_ID"));
    }

    private static int number(Map<String, String> env, String name) {
        String value = env.get(name);
        if (value == null || !value.matches("\\d{1,9}")) {
            throw new ConfigException("--slurm needs the variable %s, which is %s; start llava launch with srun"
                    .formatted(name, value == null ? "not set" : "'" + value + "'"));
        }
        return Integer.parseInt(value);
    }

    /** The first host of a list as SLURM writes it: {@code gpu01} of {@code gpu[01-04,7],login1}. */
    static String firstHost(String list) {
        String first = NUMBERS.matcher(list).replaceAll("$1").split(",", 2)[0].strip();
        if (!first.matches("[\\w.-]+")) {
            throw new ConfigException(
                    "--slurm needs the hosts in SLURM_JOB_NODELIST, which is '%s'; start llava launch with srun"
                            .formatted(list));
        }
        return first;
    }

    /** The address of launcher 0: a port that jobs on the same machine do not share, if their numbers are near. */
    public HostPort rendezvous() {
        return new HostPort(firstHost, FIRST_PORT + (int) (job % PORTS));
    }
}
