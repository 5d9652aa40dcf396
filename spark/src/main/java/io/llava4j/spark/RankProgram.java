package io.llava4j.spark;

import io.llava4j.ConfigException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What every rank runs: the installed command {@code llava}, as the jar of the job holds no tensor engine.
 *
 * @param llava path or name of the command
 * @param directory that relative paths begin at
 * @param arguments {@code train} and what follows
 */
record RankProgram(String llava, String directory, List<String> arguments) implements Serializable {
    /** Options for java that {@code llava} passes on. */
    private static final String JAVA_OPTIONS = "LLAVA_JAVA_OPTS";

    private static final String RESUME = "--resume";

    /** @throws ConfigException if a stage that is tried again could not run it */
    void check() {
        if (!arguments.getFirst().equals("train")) {
            throw new ConfigException(
                    "'%s' cannot be launched in several processes, only train can".formatted(arguments.getFirst()));
        }
        if (arguments.contains("--overwrite")) {
            throw new ConfigException(
                    "--overwrite would delete what a failed stage has left; delete the run directory before the job, or choose another one with --set output=…");
        }
    }

    /**
     * The command line. Engine threads, loaders and garbage collectors all go by the number of processors.
     *
     * @param resume whether it continues from the newest checkpoint, if there is one
     * @param processors of the task
     * @param onThisMachine ranks that share its memory
     * @param environment of this process, whose options for java count as well
     */
    List<String> command(boolean resume, int processors, int onThisMachine, Map<String, String> environment) {
        String options = "-XX:ActiveProcessorCount=%d%s %s"
                .formatted(
                        processors,
                        onThisMachine > 2 ? " -XX:MaxRAMPercentage=" + Math.max(1, 50 / onThisMachine) : "",
                        environment.getOrDefault(JAVA_OPTIONS, ""));
        List<String> command = new ArrayList<>(List.of(
                "sh",
                "-c",
                "cd \"$1\" && shift && export %s=\"$1\" && shift && exec \"$@\"".formatted(JAVA_OPTIONS),
                "sh",
                directory,
                options.strip(),
                llava));
        command.addAll(arguments);
        if (resume && !arguments.contains(RESUME)) {
            command.add(RESUME);
        }
        return command;
    }
}
