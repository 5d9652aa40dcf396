package io.llava4j.app.cli;

import io.llava4j.ConfigException;
import io.llava4j.app.data.AssumedSpeed;
import io.llava4j.app.inspect.TrainingPlan;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.train.recipe.Plans;
import io.llava4j.train.recipe.TrainConfig;
import io.llava4j.train.run.feature.FeatureCache;
import io.llava4j.train.run.shard.Sharding;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Options of {@code train --dry-run} and {@code --plan}: the memory and time that a run will take. */
final class PlanOptions {
    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(
            names = "--plan",
            description = "Print the memory of each process and the time of a step, and stop without reading data or"
                    + " weights; --dry-run prints them too.")
    private boolean plan;

    @Option(
            names = "--world-size",
            paramLabel = "N",
            description = "Processes that the plan is for (default: ${DEFAULT-VALUE}).")
    private int worldSize = 1;

    @Option(
            names = "--sharding",
            paramLabel = "WHAT",
            description =
                    "What the processes of the plan share: none, optimizer, gradients or full (default: the recipe's distributed.sharding).")
    private @Nullable Sharding sharding;

    @Option(
            names = "--device-memory",
            paramLabel = "SIZE",
            converter = ByteSize.class,
            description = "Memory of a device, such as 80G; the plan says whether it suffices.")
    private @Nullable Long deviceMemory;

    @Option(
            names = "--shape",
            paramLabel = "DIR",
            description =
                    "Folder with the configuration of a model of the same shape, for the plan of a recipe whose own"
                            + " model is not there yet (default: models/llava-1.5-7b or 13b, by the model's name).")
    private @Nullable Path shape;

    @Option(
            names = "--tflops",
            paramLabel = "N",
            description = "Sustained speed of a process's device in 10^12 operations a second, for the time of a step"
                    + " (default: by the recipe's device).")
    private @Nullable Double teraflops;

    /** Whether the plan is all that is wanted. */
    boolean only() {
        return plan;
    }

    /**
     * Prints the plan of a recipe as comments.
     *
     * @throws ParameterException if an option is out of range
     * @throws ConfigException if no shape is known and the plan is all that is wanted
     */
    void print(TrainConfig config, PrintWriter out, Consumer<String> notes) {
        if (worldSize < 1) {
            throw new ParameterException(spec.commandLine(), "--world-size must be at least 1, not " + worldSize);
        }
        if (teraflops != null && !(teraflops > 0)) {
            throw new ParameterException(spec.commandLine(), "--tflops must be above 0");
        }
        LlavaConfig model = model(config, notes);
        if (model == null) {
            String sentence = "the model of the recipe, %s, is not there; name a folder of its shape with --shape"
                    .formatted(config.model().languageFolder());
            if (plan) {
                throw new ConfigException(sentence);
            }
            return;
        }
        Sharding shared = sharding == null ? config.distributed().sharding() : sharding;
        TrainingPlan.lines(Plans.of(config, model, shared, worldSize), AssumedSpeed.of(config, teraflops), deviceMemory)
                .forEach(line -> out.println("# " + line));
        if (config.data().featureCache() != null) {
            out.printf(
                    Locale.ROOT,
                    "# data.feature-cache %s: %.2f MB on disk for each different image%n",
                    config.data().featureCache(),
                    FeatureCache.bytesPerImage(model, config.engine().precision()) / 1e6);
        }
        out.flush();
    }

    private @Nullable LlavaConfig model(TrainConfig config, Consumer<String> notes) {
        LlavaConfig own = shape == null ? new RecipeModel(config).llava() : null;
        if (own != null) {
            return own;
        }
        Path folder = shape == null ? similar(config) : shape;
        if (folder == null) {
            return null;
        }
        if (!(Checkpoint.kindOf(folder) instanceof ModelKind.Llava llava)) {
            throw new ConfigException("--shape %s is not the folder of a LLaVA model".formatted(folder));
        }
        if (shape == null) {
            notes.accept("%s is not there; the plan takes the shape of %s"
                    .formatted(config.model().languageFolder(), folder.getFileName()));
        }
        return config.model()
                .toLlava(
                        llava.config(),
                        config.data().imageAspectRatio().mode(),
                        config.data().maxLength());
    }

    /** The shape that a missing model has by its name; null if it says nothing. */
    private static @Nullable Path similar(TrainConfig config) {
        String name =
                String.valueOf(config.model().languageFolder().getFileName()).toLowerCase(Locale.ROOT);
        for (String size : new String[] {"13b", "7b"}) {
            if (name.contains(size)) {
                return Home.directory().resolve("models/llava-1.5-" + size);
            }
        }
        return null;
    }
}
