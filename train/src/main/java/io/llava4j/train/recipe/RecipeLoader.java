package io.llava4j.train.recipe;

import io.llava4j.ConfigException;
import io.llava4j.train.config.ConfigFile;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.slf4j.LoggerFactory;

/** Reads recipes: {@link ConfigFile} says where values come from, {@link StageDefaults} what the stages differ in. */
public final class RecipeLoader {
    /** Keys that name a model. */
    private static final List<String> MODELS = List.of("model.base", "model.vision-tower", "model.language-model");

    private final Consumer<String> notes;
    private final UnaryOperator<String> models;

    /** A loader that logs a warning for each old name in a recipe. */
    public RecipeLoader() {
        this(RecipeLoader::warn, UnaryOperator.identity());
    }

    /** @param models the folder of a model, which a recipe names by that folder or by a name of another kind */
    public RecipeLoader(UnaryOperator<String> models) {
        this(RecipeLoader::warn, models);
    }

    RecipeLoader(Consumer<String> notes, UnaryOperator<String> models) {
        this.notes = notes;
        this.models = models;
    }

    private static void warn(String note) {
        LoggerFactory.getLogger(RecipeLoader.class).warn(note);
    }

    /**
     * Loads a recipe.
     *
     * @param file YAML; LLaVA's own flag names ({@link FlagAliases}) may stand at its top level in place of keys; may name
     *     another file, relative to itself, under {@code extends}
     * @param overrides from the command line: {@code optimizer.learning-rate=2e-5}, or LLaVA's flag names; values are
     *     written as in YAML
     * @param env environment: {@code LLAVA_} and the key in capitals, for example {@code LLAVA_OPTIMIZER_LEARNING_RATE}
     * @return the checked recipe
     * @throws ConfigException naming the file, the key and what would be right
     */
    public TrainConfig load(Path file, Map<String, String> overrides, Map<String, String> env) {
        ConfigFile recipe = ConfigFile.read(file, FlagAliases.LLAVA, notes)
                .environment(TrainConfig.class, env)
                .overrides(TrainConfig.class, overrides);
        MODELS.forEach(key -> recipe.rewrite(key, models));
        Stage stage = recipe.choice("stage", Stage.class);
        Map<String, Object> defaults = new LinkedHashMap<>(StageDefaults.of(stage, recipe.get("lora") != null));
        defaults.put("output", defaultOutput(file));
        return recipe.bind(TrainConfig.class, defaults);
    }

    /** Run directory of a recipe that names none. */
    public static String defaultOutput(Path file) {
        String name = String.valueOf(file.getFileName());
        int dot = name.lastIndexOf('.');
        return "runs/" + (dot > 0 ? name.substring(0, dot) : name);
    }
}
