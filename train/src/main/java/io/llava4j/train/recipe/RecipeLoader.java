package io.llava4j.train.recipe;

import io.llava4j.ConfigException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.dataformat.yaml.YAMLFactory;
import tools.jackson.dataformat.yaml.YAMLMapper;
import tools.jackson.dataformat.yaml.YAMLWriteFeature;

/**
 * Reads and writes recipes. A value comes from the command line, else from a {@code LLAVA_*} variable, else from the
 * file, else from the file it {@code extends}, else from the defaults of its stage ({@link StageDefaults}), else from
 * the key's own default.
 */
public final class RecipeLoader {
    private static final String EXTENDS = "extends";
    private static final String ENV_PREFIX = "LLAVA_";

    private final ObjectMapper yaml = new YAMLMapper(YAMLFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(YAMLWriteFeature.WRITE_DOC_START_MARKER)
            .enable(YAMLWriteFeature.MINIMIZE_QUOTES)
            .build());
    private final RecordBinder binder = new RecordBinder(yaml);

    /** A path as the value of an override, whatever it is made of. */
    public static String quoted(Path path) {
        return "'" + path.toString().replace("'", "''") + "'";
    }

    /**
     * Loads a recipe.
     *
     * @param file YAML; may name another file, relative to itself, under {@code extends}
     * @param overrides from the command line: {@code optimizer.learning-rate=2e-5}, or LLaVA's own flag names
     *     ({@link FlagAliases}); values are written as in YAML
     * @param env environment: {@code LLAVA_} and the key in capitals, for example {@code LLAVA_OPTIMIZER_LEARNING_RATE}
     * @return the checked recipe
     * @throws ConfigException naming the file, the key and what would be right
     */
    public TrainConfig load(Path file, Map<String, String> overrides, Map<String, String> env) {
        Map<String, String> origins = new TreeMap<>();
        try {
            Map<String, Object> tree = read(file, new LinkedHashSet<>());
            applyEnvironment(tree, env, origins);
            applyOverrides(tree, overrides, origins);
            tree.putIfAbsent("output", "runs/" + stem(file));
            Map<String, Object> resolved = StageDefaults.of(stage(tree), tree.get("lora") != null);
            merge(resolved, tree);
            return binder.bind(TrainConfig.class, resolved, "");
        } catch (ConfigException e) {
            throw new ConfigException(located(String.valueOf(e.getMessage()), file, origins), e);
        }
    }

    /**
     * Loads a recipe of another kind than training's, for example of a data mixture.
     *
     * @param type the record its keys are the components of
     * @param file YAML; may name another file, relative to itself, under {@code extends}
     * @param overrides from the command line, by dotted key; values are written as in YAML
     * @throws ConfigException naming the file, the key and what would be right
     */
    public <T extends Record> T load(Class<T> type, Path file, Map<String, String> overrides) {
        Map<String, String> origins = new TreeMap<>();
        try {
            Map<String, Object> tree = read(file, new LinkedHashSet<>());
            overrides.forEach((key, text) -> {
                put(tree, key, binder.parse(key, text));
                origins.put(key, "--set " + key);
            });
            return binder.bind(type, tree, "");
        } catch (ConfigException e) {
            throw new ConfigException(located(String.valueOf(e.getMessage()), file, origins), e);
        }
    }

    /** The whole recipe as YAML; loading it gives an equal record. Keys without a value are left out. */
    public String toYaml(Record config) {
        return yaml.writeValueAsString(RecordBinder.unbind(config));
    }

    /** Reads what {@link #toYaml} has written. */
    public <T extends Record> T parse(Class<T> type, String text) {
        return binder.bind(type, section(yaml.readValue(text, Map.class)), "");
    }

    private Map<String, Object> read(Path file, Set<Path> chain) {
        Path path = file.toAbsolutePath().normalize();
        if (!chain.add(path)) {
            throw new ConfigException("extends leads back to %s; remove it from one of the files".formatted(file));
        }
        Map<String, Object> tree = parse(file);
        Object parent = tree.remove(EXTENDS);
        if (parent == null) {
            return tree;
        }
        Path parentFile = path.resolveSibling(parent.toString());
        Map<String, Object> merged = read(parentFile, chain);
        merge(merged, tree);
        return merged;
    }

    private Map<String, Object> parse(Path file) {
        try {
            Object root = yaml.readValue(Files.readString(file), Object.class);
            if (root instanceof Map<?, ?> map) {
                return section(map);
            }
            throw new ConfigException("%s holds no keys; a recipe begins with stage".formatted(file));
        } catch (NoSuchFileException e) {
            throw new ConfigException("recipe %s does not exist; check the path".formatted(file), e);
        } catch (IOException e) {
            throw new ConfigException("recipe %s cannot be read: %s".formatted(file, e.getMessage()), e);
        } catch (JacksonException e) {
            TokenStreamLocation location = e.getLocation();
            String place = location == null ? "" : " at line " + location.getLineNr();
            throw new ConfigException(
                    "%s is not valid YAML%s: %s".formatted(file, place, firstLine(e.getOriginalMessage())), e);
        }
    }

    private void applyEnvironment(Map<String, Object> tree, Map<String, String> env, Map<String, String> origins) {
        Map<String, String> known = new LinkedHashMap<>();
        Set<String> sections = new LinkedHashSet<>();
        for (String key : RecordBinder.keys(TrainConfig.class)) {
            known.put(variable(key), key);
            int dot = key.indexOf('.');
            if (dot > 0) {
                sections.add(variable(key.substring(0, dot)) + "_");
            }
        }
        for (Map.Entry<String, String> entry : new TreeMap<>(env).entrySet()) {
            String name = entry.getKey();
            String key = known.get(name);
            if (key != null) {
                put(tree, key, binder.parse(key, entry.getValue()));
                origins.put(key, "environment variable " + name);
            } else if (sections.stream().anyMatch(name::startsWith)) {
                // Other LLAVA_ variables belong to the launcher; one that names a section is a slip.
                throw new ConfigException("unknown environment variable %s%s"
                        .formatted(
                                name,
                                NearestName.of(name, known.keySet())
                                        .map(n -> "; did you mean %s?".formatted(n))
                                        .orElse("; its name must be LLAVA_ and a key of the recipe")));
            }
        }
    }

    private void applyOverrides(Map<String, Object> tree, Map<String, String> overrides, Map<String, String> origins) {
        List<String> known = RecordBinder.keys(TrainConfig.class);
        overrides.forEach((name, text) -> {
            String key = FlagAliases.keyOf(name).orElse(name.replace('_', '-'));
            if (!known.contains(key)) {
                List<String> candidates = new ArrayList<>(known);
                candidates.addAll(FlagAliases.names());
                throw new ConfigException(
                        "--set " + RecordBinder.unknown(name, candidates).getMessage());
            }
            put(tree, key, FlagAliases.valueOf(name, binder.parse(key, text)));
            origins.put(key, "--set " + name);
        });
    }

    private static Stage stage(Map<String, Object> tree) {
        record StageOnly(Stage stage) {}
        Object stage = tree.get("stage");
        if (stage == null) {
            throw new ConfigException("stage is missing; write align, tune, tower or language");
        }
        return new RecordBinder(new ObjectMapper())
                .bind(StageOnly.class, Map.of("stage", stage), "")
                .stage();
    }

    /** Puts a value at a dotted key and makes the sections on the way; replaces a section that was set to a scalar. */
    private static void put(Map<String, Object> tree, String key, @Nullable Object value) {
        Map<String, Object> at = tree;
        String[] names = key.split("\\.");
        for (int i = 0; i < names.length - 1; i++) {
            Map<String, Object> next = at.get(names[i]) instanceof Map<?, ?> map ? section(map) : new LinkedHashMap<>();
            at.put(names[i], next);
            at = next;
        }
        if (value == null) {
            at.remove(names[names.length - 1]);
        } else {
            at.put(names[names.length - 1], value);
        }
    }

    /** Lays {@code over} onto {@code base}: sections merge, everything else is replaced. */
    private static void merge(Map<String, Object> base, Map<String, Object> over) {
        over.forEach((key, value) -> {
            if (value instanceof Map<?, ?> map && base.get(key) instanceof Map<?, ?> below) {
                Map<String, Object> merged = section(below);
                merge(merged, section(map));
                base.put(key, merged);
            } else {
                base.put(key, value);
            }
        });
    }

    private static Map<String, Object> section(Map<?, ?> map) {
        Map<String, Object> section = new LinkedHashMap<>();
        map.forEach((key, value) -> section.put(String.valueOf(key), value));
        return section;
    }

    /** Says where the value of the key a message begins with came from. */
    private static String located(String message, Path file, Map<String, String> origins) {
        String key = message.substring(0, message.indexOf(' ') < 0 ? message.length() : message.indexOf(' '));
        String origin = origins.get(key);
        if (origin != null) {
            return origin + ": " + message;
        }
        boolean namesItsOrigin = message.contains(file.toString())
                || message.startsWith("--set")
                || message.startsWith("unknown environment");
        return namesItsOrigin ? message : file + ": " + message;
    }

    private static String variable(String key) {
        return ENV_PREFIX + key.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
    }

    private static String stem(Path file) {
        String name = String.valueOf(file.getFileName());
        int dot = name.lastIndexOf('.');
        return dot > 0 ? name.substring(0, dot) : name;
    }

    private static String firstLine(@Nullable String text) {
        return text == null ? "" : text.lines().findFirst().orElse("");
    }
}
