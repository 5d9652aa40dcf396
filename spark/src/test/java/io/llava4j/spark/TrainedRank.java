package io.llava4j.spark;

import io.llava4j.tensor.collective.ProcessGroup;
import io.llava4j.tensor.collective.Rank;
import io.llava4j.train.launch.Heartbeat;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.recipe.ProcessGroups;
import io.llava4j.train.recipe.RecipeLoader;
import io.llava4j.train.recipe.TrainConfig;
import io.llava4j.train.run.TrainingRun;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * {@code train RECIPE [KEY=VALUE…] [--resume]} as a program of its own, as the command line is not among this module's dependencies.
 * With the setting {@code hold=N} a run that does not resume waits before step N until it is asked to stop, or killed.
 */
final class TrainedRank {
    private TrainedRank() {}

    public static void main(String[] args) {
        List<String> rest = new ArrayList<>(List.of(args).subList(2, args.length));
        boolean resume = rest.remove("--resume");
        Map<String, String> settings = new LinkedHashMap<>();
        rest.forEach(setting -> settings.put(setting.split("=")[0], setting.split("=")[1]));
        String hold = settings.remove("hold");
        int heldAt = hold == null || resume ? Integer.MAX_VALUE : Integer.parseInt(hold);
        Map<String, String> env = System.getenv();
        AtomicBoolean stop = new AtomicBoolean();
        sun.misc.Signal.handle(new sun.misc.Signal("TERM"), signal -> stop.set(true));
        AtomicInteger done = new AtomicInteger(); // a run asks after each step whether to stop
        boolean complete;
        try (Heartbeat heartbeat = Heartbeat.start(env)) {
            heartbeat.whenLauncherIsGone(() -> stop.set(true));
            TrainConfig config = new RecipeLoader().load(Path.of(args[1]), settings, env);
            Rank rank = Rank.fromEnvironment(env);
            try (ProcessGroup group = heartbeat.during(() -> ProcessGroups.join(rank, config))) {
                complete = heartbeat.during(() -> TrainingRun.run(
                        ProcessGroups.on(rank, config),
                        known -> Objectives.create(known, null, group),
                        resume ? TrainingRun.Start.RESUME : TrainingRun.Start.NEW,
                        heartbeat,
                        () -> (done.incrementAndGet() == heldAt && awaits(stop)) || stop.get(),
                        group));
            }
            System.out.println(config.output().resolve(TrainingRun.MODEL));
        }
        System.exit(complete ? 0 : 130);
    }

    private static boolean awaits(AtomicBoolean stop) {
        while (!stop.get()) {
            LockSupport.parkNanos(5_000_000);
        }
        return true;
    }
}
