package io.llava4j.app;

import io.llava4j.io.KebabCase;
import io.llava4j.nano.pretrain.LanguageConfig;
import io.llava4j.nano.pretrain.TowerConfig;
import io.llava4j.train.config.Default;
import io.llava4j.train.config.RecordBinder;
import io.llava4j.train.recipe.FlagAliases;
import io.llava4j.train.recipe.TrainConfig;
import java.io.IOException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Writes {@code docs/configuration.md} from the records of the recipes and their Javadoc. */
final class ConfigurationPage {
    private static final String INTRODUCTION = """
            # Configuration

            All keys of the recipes that `llava train RECIPE` runs. This page is generated from the code.

            A value comes from the command line (`--set optimizer.learning-rate=1e-4`), else from an environment variable
            (`LLAVA_OPTIMIZER_LEARNING_RATE`), else from the recipe, else from the recipe that it names under `extends`, else
            it is the default of this page. `llava train RECIPE --dry-run` prints every value. An unknown key is an error.
            The keys of data mixtures are in [data.md](data.md).

            """;

    private final ConfigurationDefaults defaults;
    private final StringBuilder page = new StringBuilder(INTRODUCTION);
    private final Set<Class<?>> written = new HashSet<>();

    ConfigurationPage(ConfigurationDefaults defaults) {
        this.defaults = defaults;
    }

    /** The whole page. */
    String write() throws IOException {
        recipe(
                "Stages pretrain and finetune",
                "LLaVA's two stages, for example `recipes/llava-1.5-7b-pretrain.yaml`.",
                TrainConfig.class);
        recipe(
                "Stage tower",
                "Pre-training of the nano vision tower, see `recipes/nano/tower.yaml`.",
                TowerConfig.class);
        recipe(
                "Stage language",
                "Pre-training of the nano language model, see `recipes/nano/language.yaml`.",
                LanguageConfig.class);
        flags();
        return page.toString();
    }

    private void recipe(String title, String about, Class<?> type) throws IOException {
        page.append("## ").append(title).append("\n\n").append(about).append("\n\n");
        page.append("| key | type | default | meaning |\n|---|---|---|---|\n");
        rows(type, type, "");
        page.append('\n');
    }

    private void rows(Class<?> recipe, Class<?> record, String prefix) throws IOException {
        Map<String, String> meanings = JavadocParameters.of(record);
        for (RecordComponent component : record.getRecordComponents()) {
            String key = prefix + RecordBinder.key(component);
            String meaning = meanings.get(component.getName());
            Class<?> section = section(component);
            if (section == null) {
                row(key, type(component), defaults.of(recipe, key, component), meaning);
                continue;
            }
            boolean list = component.getType() == List.class;
            boolean optional = component.getAnnotatedType().isAnnotationPresent(Nullable.class);
            boolean known = section.getPackageName().startsWith("io.llava4j.train") && !written.add(section);
            row(
                    key,
                    list ? "list of sections" : "section",
                    list || optional ? defaults.of(recipe, key, component) : "",
                    meaning
                            + (known
                                    ? "; keys and defaults as in the first table" + differing(recipe, section, key)
                                    : ""));
            if (!known) {
                rows(recipe, section, key + (list ? "[]." : "."));
            }
        }
    }

    /** Defaults of a section that was described before, where the recipe has its own. */
    private String differing(Class<?> recipe, Class<?> section, String key) {
        String own = Arrays.stream(section.getRecordComponents())
                .filter(component -> component.getAnnotation(Default.class) == null)
                .map(component -> Map.entry(
                        RecordBinder.key(component),
                        defaults.of(recipe, key + "." + RecordBinder.key(component), component)))
                .filter(entry -> !entry.getValue().equals("none"))
                .map(entry -> "`%s` %s".formatted(entry.getKey(), entry.getValue()))
                .collect(Collectors.joining(", "));
        return own.isEmpty() ? "" : ", but " + own;
    }

    private void row(String key, String type, String value, @Nullable String meaning) {
        if (meaning == null) {
            throw new IllegalStateException(key + " has no @param in its record's Javadoc");
        }
        page.append("| `%s` | %s | %s | %s |\n".formatted(key, type, value, meaning.replace("|", "\\|")));
    }

    /** The record below a key; null if the key holds a value. */
    private static @Nullable Class<?> section(RecordComponent component) {
        Type type = component.getType() == List.class ? item(component.getGenericType()) : component.getType();
        return type instanceof Class<?> section && section.isRecord() ? section : null;
    }

    private static Type item(Type list) {
        return ((ParameterizedType) list).getActualTypeArguments()[0];
    }

    private static String type(RecordComponent component) {
        return component.getType() == List.class ? list(component.getGenericType()) : type(component.getType());
    }

    private static String list(Type type) {
        return item(type) instanceof Class<?> item
                ? "list of " + type(item) + "s"
                : "list of lists of " + type((Class<?>) item(item(type))) + "s";
    }

    private static String type(Class<?> type) {
        if (type.isEnum()) {
            return Arrays.stream(type.getEnumConstants())
                    .map(constant -> "`" + KebabCase.of((Enum<?>) constant) + "`")
                    .collect(Collectors.joining(", "));
        }
        return switch (type.getSimpleName()) {
            case "int", "Integer", "long" -> "whole number";
            case "double", "Double" -> "number";
            case "boolean" -> "true or false";
            case "Path" -> "path";
            default -> "text";
        };
    }

    private void flags() {
        page.append("""
                ## LLaVA's flags

                Flags of LLaVA's own training script are understood in place of keys, at a recipe's top level and after `--set`.

                | flag | key |
                |---|---|
                """);
        Map<String, String> keys = new LinkedHashMap<>();
        for (String flag : FlagAliases.LLAVA.names()) {
            keys.put(flag, FlagAliases.LLAVA.keyOf(flag).orElseThrow());
        }
        new TreeMap<>(keys).forEach((flag, key) -> page.append("| `%s` | `%s` |\n".formatted(flag, key)));
    }

    /** The page as it stands in the repository. */
    static Path file() {
        return Path.of("../docs/configuration.md");
    }

    /** The page's text, empty where there is none. */
    static String current() throws IOException {
        return Files.exists(file()) ? Files.readString(file()) : "";
    }
}
