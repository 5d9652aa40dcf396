package io.llava4j.app.launch;

import io.llava4j.LlavaException;
import io.llava4j.app.ablate.Trainer;
import io.llava4j.io.AtomicFiles;
import io.llava4j.train.config.ConfigFile;
import io.llava4j.train.launch.LaunchPlan;
import io.llava4j.train.launch.Launcher;
import io.llava4j.train.recipe.TrainConfig;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * Training in several processes of this machine, as {@code llava launch} does it.
 *
 * @param plan of the processes, on one node
 * @param main class of the command line
 * @param version of this program
 * @param err receives the log lines of all ranks
 * @param stopRequested true stops all ranks at the next safe point
 */
public record SeveralProcesses(
        LaunchPlan plan, Class<?> main, String version, PrintWriter err, BooleanSupplier stopRequested)
        implements Trainer {
    private static final int INTERRUPTED = 130;

    @Override
    public boolean train(TrainConfig config, String what) {
        Path recipe = config.output().resolveSibling(config.output().getFileName() + ".yaml");
        AtomicFiles.write(recipe, ConfigFile.toYaml(config).getBytes(StandardCharsets.UTF_8));
        RankOutput output = new RankOutput(err, err);
        output.note(what);
        int code = Launcher.run(
                        plan,
                        version,
                        new RankCommand(main, List.of("train", "--resume", recipe.toString()), plan.processes())::of,
                        output,
                        output::note,
                        stopRequested)
                .code();
        if (code != 0 && code != INTERRUPTED) {
            throw new LlavaException("training %s in %d processes ended with code %d; the lines above tell why"
                    .formatted(recipe, plan.processes(), code));
        }
        return code == 0;
    }

    @Override
    public int processes() {
        return plan.processes();
    }
}
