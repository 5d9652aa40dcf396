package io.llava4j.nano.pretrain;

import io.llava4j.ConfigException;
import io.llava4j.train.config.ConfigFile;
import io.llava4j.train.recipe.FlagAliases;
import io.llava4j.train.recipe.RecipeLoader;
import io.llava4j.train.run.RunConfig;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.LoggerFactory;

/** Reads recipes of the nano family's pre-training, as {@link RecipeLoader} reads those of LLaVA's two stages. */
public final class PretrainingRecipes {
    private final Path file;
    private final Map<String, String> overrides;
    private final Map<String, String> env;
    private final Consumer<String> notes;

    /**
     * A recipe.
     *
     * @param file YAML
     * @param overrides from the command line, by dotted key
     * @param env environment
     */
    public PretrainingRecipes(Path file, Map<String, String> overrides, Map<String, String> env) {
        this(
                file,
                overrides,
                env,
                note -> LoggerFactory.getLogger(PretrainingRecipes.class).warn(note));
    }

    /** @param notes receives a sentence for each old name in the recipe */
    PretrainingRecipes(Path file, Map<String, String> overrides, Map<String, String> env, Consumer<String> notes) {
        this.file = file;
        this.overrides = overrides;
        this.env = env;
        this.notes = notes;
    }

    /** The stage that the recipe names; empty if it is none of pre-training. */
    public Optional<PretrainingStage> stage() {
        String named = overrides.getOrDefault("stage", env.get("LLAVA_STAGE"));
        String stage = named != null
                ? named
                : String.valueOf(
                        ConfigFile.read(file, FlagAliases.LLAVA, note -> {}).get("stage"));
        return Arrays.stream(PretrainingStage.values())
                .filter(known -> known.name().toLowerCase(Locale.ROOT).equals(stage))
                .findFirst();
    }

    /**
     * A recipe of stage {@code tower}.
     *
     * @throws ConfigException naming the file, the key and what would be right
     */
    public TowerConfig tower() {
        return load(TowerConfig.class, 128);
    }

    /**
     * A recipe of stage {@code language}.
     *
     * @throws ConfigException naming the file, the key and what would be right
     */
    public LanguageConfig language() {
        return load(LanguageConfig.class, 32);
    }

    private <C extends Record & RunConfig> C load(Class<C> type, int perDevice) {
        return ConfigFile.read(file, FlagAliases.LLAVA, notes)
                .environment(type, env)
                .overrides(type, overrides)
                .bind(
                        type,
                        Map.of(
                                "output", RecipeLoader.defaultOutput(file),
                                "optimizer", Map.of("learning-rate", 1e-3),
                                "batch", Map.of("per-device", perDevice)));
    }
}
