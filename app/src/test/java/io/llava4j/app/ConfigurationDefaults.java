package io.llava4j.app;

import io.llava4j.nano.pretrain.LanguageConfig;
import io.llava4j.nano.pretrain.PretrainingRecipes;
import io.llava4j.nano.pretrain.TowerConfig;
import io.llava4j.train.config.ConfigFile;
import io.llava4j.train.config.Default;
import io.llava4j.train.recipe.RecipeLoader;
import io.llava4j.train.recipe.TrainConfig;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** Defaults of keys: those written at the records, and those that depend on the stage, found by loading recipes that set nothing. */
final class ConfigurationDefaults {
    private static final String INSTRUCTION = "model: {base: m}\ndata: {json: d}\n";
    private static final String TOWER =
            "stage: tower\nmodel: {vision-tower: m}\ndata: {nano: {count: 1, image-size: 1}}\n";
    private static final String LANGUAGE = "stage: language\nmodel: {language-model: m}\ndata: {nano: {count: 1}}\n";

    /** Keys that the loaded recipes set because every recipe must. */
    private static final Set<String> REQUIRED = Set.of("stage", "data.json", "data.nano.count", "data.nano.image-size");

    private final Map<Class<?>, Map<String, Map<?, ?>>> resolved = new LinkedHashMap<>();

    /** @param folder for temporary recipes */
    ConfigurationDefaults(Path folder) throws IOException {
        Map<String, Map<?, ?>> stages = new LinkedHashMap<>();
        stages.put("pretrain", instruction(folder, "stage: pretrain\n"));
        stages.put("finetune", instruction(folder, "stage: finetune\n"));
        stages.put("finetune with lora", instruction(folder, "stage: finetune\nlora: {}\n"));
        resolved.put(TrainConfig.class, stages);
        resolved.put(
                TowerConfig.class,
                Map.of("tower", tree(pretraining(folder, TOWER).tower())));
        resolved.put(
                LanguageConfig.class,
                Map.of("language", tree(pretraining(folder, LANGUAGE).language())));
    }

    /** The default of a key as the page shows it. */
    String of(Class<?> recipe, String key, RecordComponent component) {
        Default fixed = component.getAnnotation(Default.class);
        if (fixed != null) {
            return "`" + fixed.value() + "`";
        }
        if (key.equals("output")) {
            return "`runs/` and the recipe's name";
        }
        boolean optional = component.getAnnotatedType().isAnnotationPresent(Nullable.class);
        Map<String, String> byStage = new LinkedHashMap<>();
        resolved.getOrDefault(recipe, Map.of()).forEach((stage, tree) -> {
            Object value = at(tree, key);
            if (value != null) {
                byStage.put(stage, "`" + text(value) + "`");
            }
        });
        if (Objects.equals(byStage.get("finetune"), byStage.get("finetune with lora"))) {
            byStage.remove("finetune with lora");
        }
        if (REQUIRED.contains(key) || key.contains("[]") || (byStage.isEmpty() && !optional)) {
            return optional ? "none" : "required";
        }
        if (byStage.isEmpty()
                || component.getType() == Path.class
                || component.getType().isRecord()) {
            return "none";
        }
        return new TreeSet<>(byStage.values()).size() == 1
                        && (byStage.size() > 1 || resolved.get(recipe).size() == 1)
                ? byStage.values().iterator().next()
                : byStage.entrySet().stream()
                        .map(entry -> entry.getValue() + " (" + entry.getKey() + ")")
                        .collect(Collectors.joining(", "));
    }

    private static String text(Object value) {
        return value instanceof Double number
                ? number.toString().replace(".0E", "E").toLowerCase(Locale.ROOT)
                : value.toString();
    }

    private static @Nullable Object at(Map<?, ?> tree, String key) {
        Object value = tree;
        for (String name : key.split("\\.")) {
            value = value instanceof Map<?, ?> map ? map.get(name) : null;
        }
        return value;
    }

    private static Map<?, ?> instruction(Path folder, String stage) throws IOException {
        Path file = Files.writeString(folder.resolve("recipe.yaml"), stage + INSTRUCTION);
        return tree(new RecipeLoader().load(file, Map.of(), Map.of()));
    }

    private static PretrainingRecipes pretraining(Path folder, String yaml) throws IOException {
        Path file = Files.writeString(folder.resolve("recipe.yaml"), yaml);
        return new PretrainingRecipes(file, Map.of(), Map.of());
    }

    private static Map<?, ?> tree(Record config) {
        return new YAMLMapper().readValue(ConfigFile.toYaml(config), Map.class);
    }
}
