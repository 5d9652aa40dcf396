package io.llava4j.app.launch;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The command line of a rank: this program once more, with the same JVM options, and its share of processors and memory.
 *
 * @param main class of the command line
 * @param arguments of the verb {@code train}, with the verb
 * @param processes ranks on this machine that share it
 */
public record RankCommand(Class<?> main, List<String> arguments, int processes) {
    private static final String RESUME = "--resume";
    /** Options of the launcher alone: one process may write the archive of classes, one may draw on the terminal. */
    private static final List<String> NOT_PASSED_ON = List.of("-XX:+AutoCreateSharedArchive", "-Dllava.columns=");

    /** Processors of a rank. */
    public int processors() {
        return Math.max(1, Runtime.getRuntime().availableProcessors() / processes);
    }

    /**
     * The command line.
     *
     * @param resume whether it continues from the newest checkpoint
     */
    public List<String> of(boolean resume) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        // Engine threads, loaders and garbage collectors all go by the number of processors.
        command.add("-XX:ActiveProcessorCount=" + processors());
        if (processes > 2) {
            command.add("-XX:MaxRAMPercentage=" + Math.max(1, 50 / processes)); // of all heaps together: one half
        }
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(option -> NOT_PASSED_ON.stream().noneMatch(option::startsWith))
                .forEach(command::add);
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(main.getName());
        command.addAll(resume ? resumed(arguments) : arguments);
        return command;
    }

    /** The same command, continued: an earlier run was replaced already. */
    static List<String> resumed(List<String> arguments) {
        List<String> resumed = new ArrayList<>(arguments);
        resumed.remove("--overwrite");
        if (!resumed.contains(RESUME)) {
            resumed.add(1, RESUME);
        }
        return resumed;
    }
}
