package io.llava4j.train.config;

import io.llava4j.ConfigException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A YAML file on its way to a record. A value comes from the command line, else from a {@code LLAVA_*} variable, else from
 * the file, else from the file it {@code extends}, else from the defaults given to {@link #bind}, else from the key's
 * {@link Default}.
 */
public final class ConfigFile {
    private static final String EXTENDS = "extends";
    private static final String ENV_PREFIX = "LLAVA_";

    private final Path file;
    private final FlagNames flags;
    private final Consumer<String> notes;
    private final Map<String, Object> tree;
    /** Where a key's value came from if not from the file, by dotted key. */
    private final Map<String, String> origins = new TreeMap<>();

    private ConfigFile(Path file, FlagNames flags, Consumer<String> notes) {
        this.file = file;
        this.flags = flags;
        this.notes = notes;
        try {
            this.tree = read(file, new LinkedHashSet<>());
        } catch (ConfigException e) {
            throw located(e);
        }
    }

    /**
     * Reads a file and those it extends.
     *
     * @param file may name another file, relative to itself, under {@code extends}
     * @param flags names of flags that may stand at the top level in place of keys
     * @param notes receives a sentence, once, for each old name that the file uses
     * @throws ConfigException naming the file, the line or key and what would be right
     */
    public static ConfigFile read(Path file, FlagNames flags, Consumer<String> notes) {
        return new ConfigFile(file, flags, notes);
    }

    /** A record as YAML; reading it gives an equal record. Keys without a value are left out. */
    public static String toYaml(Record config) {
        return YamlText.write(RecordBinder.unbind(config));
    }

    /** Reads what {@link #toYaml} has written. */
    public static <T extends Record> T parse(Class<T> type, String text) {
        return new RecordBinder(note -> {}).bind(type, YamlText.parse(text), "");
    }

    /** The values that {@link #toYaml} has written, as text by their full keys; without keys that are not set. */
    public static Map<String, String> values(String yaml) {
        Map<String, String> values = new LinkedHashMap<>();
        flatten("", YamlText.parse(yaml), values);
        return values;
    }

    private static void flatten(String prefix, Map<?, ?> section, Map<String, String> into) {
        section.forEach((key, value) -> {
            if (value instanceof Map<?, ?> inner) {
                flatten(prefix + key + ".", inner, into);
            } else if (value != null) {
                into.put(prefix + key, String.valueOf(value));
            }
        });
    }

    /** A path as the value of an override, whatever characters it has. */
    public static String quoted(Path path) {
        return "'" + path.toString().replace("'", "''") + "'";
    }

    /**
     * Takes values from the environment: {@code LLAVA_} and the key in capitals, such as
     * {@code LLAVA_OPTIMIZER_LEARNING_RATE}.
     *
     * @param type whose keys are looked for
     * @throws ConfigException at a variable that names a section but no key of it
     */
    public ConfigFile environment(Class<? extends Record> type, Map<String, String> env) {
        Map<String, String> known = new LinkedHashMap<>();
        Set<String> sections = new LinkedHashSet<>();
        for (String key : RecordBinder.keys(type)) {
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
                put(key, YamlText.value(key, entry.getValue()), "environment variable " + name);
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
        return this;
    }

    /**
     * Takes values from the command line.
     *
     * @param type whose keys exist
     * @param overrides by dotted key or flag; values are written as in YAML
     * @throws ConfigException at a name that is neither
     */
    public ConfigFile overrides(Class<? extends Record> type, Map<String, String> overrides) {
        List<String> known = RecordBinder.keys(type);
        overrides.forEach((name, text) -> {
            String key = flags.keyOf(name).orElse(name.replace('_', '-'));
            if (!known.contains(key)) {
                List<String> candidates = new ArrayList<>(known);
                candidates.addAll(flags.names());
                throw new ConfigException(
                        "--set " + RecordBinder.unknown(name, candidates).getMessage());
            }
            put(key, flags.valueOf(name, YamlText.value(key, text)), "--set " + name);
        });
        return this;
    }

    /** Takes a value from the command line for a key that only binding can judge, such as one below a map. */
    public ConfigFile override(String key, String text) {
        put(key, YamlText.value(key, text), "--set " + key);
        return this;
    }

    /** Rewrites the value of a dotted key, if it is set. */
    public ConfigFile rewrite(String key, UnaryOperator<String> rewritten) {
        if (at(tree, key) instanceof String text) {
            put(tree, key, rewritten.apply(text));
        }
        return this;
    }

    /** The values and sections of all top-level keys. */
    public Map<String, @Nullable Object> values() {
        return Collections.unmodifiableMap(tree);
    }

    /** The value or section of a top-level key; null if it is not set. */
    public @Nullable Object get(String key) {
        return tree.get(key);
    }

    /**
     * The value of a top-level key that names one of several choices.
     *
     * @throws ConfigException if it is missing or none of them
     */
    public <E extends Enum<E>> E choice(String key, Class<E> type) {
        Object value = tree.get(key);
        try {
            if (value == null) {
                throw new ConfigException(key + " is missing; write " + Scalars.expectation(type));
            }
            return type.cast(Scalars.convert(type, value, key, note -> {}));
        } catch (ConfigException e) {
            throw located(e);
        }
    }

    /**
     * The record.
     *
     * @param defaults sections and values for what is not set
     * @throws ConfigException naming the origin, the key and what would be right
     */
    public <T extends Record> T bind(Class<T> type, Map<String, ?> defaults) {
        Map<String, Object> resolved = YamlText.section(defaults);
        merge(resolved, tree);
        Set<String> old = new LinkedHashSet<>();
        try {
            T record = new RecordBinder(old::add).bind(type, resolved, "");
            old.forEach(note -> notes.accept(file + ": " + note));
            return record;
        } catch (ConfigException e) {
            throw located(e);
        }
    }

    private Map<String, Object> read(Path from, Set<Path> chain) {
        Path path = from.toAbsolutePath().normalize();
        if (!chain.add(path)) {
            throw new ConfigException("extends leads back to %s; remove it from one of the files".formatted(from));
        }
        Map<String, Object> own = translated(YamlText.read(from));
        Object parent = own.remove(EXTENDS);
        if (parent == null) {
            return own;
        }
        Map<String, Object> merged = read(path.resolveSibling(parent.toString()), chain);
        merge(merged, own);
        return merged;
    }

    /** The tree with flags at their keys. */
    private Map<String, Object> translated(Map<String, Object> read) {
        Map<String, Object> translated = new LinkedHashMap<>();
        read.forEach((name, value) -> {
            if (flags.keyOf(name).isEmpty()) {
                translated.put(name, value);
            }
        });
        read.forEach((name, value) -> flags.keyOf(name).ifPresent(key -> {
            if (!name.equals(key) && at(translated, key) != null) {
                throw new ConfigException("%s is set twice, also as %s; remove one".formatted(key, name));
            }
            put(translated, key, flags.valueOf(name, value));
        }));
        return translated;
    }

    private static @Nullable Object at(Map<String, Object> tree, String key) {
        Object at = tree;
        for (String name : key.split("\\.")) {
            at = at instanceof Map<?, ?> map ? map.get(name) : null;
        }
        return at;
    }

    private void put(String key, @Nullable Object value, String origin) {
        put(tree, key, value);
        origins.put(key, origin);
    }

    /** Puts a value at a dotted key and makes the sections on the way; replaces a section that was set to a scalar. */
    private static void put(Map<String, Object> tree, String key, @Nullable Object value) {
        Map<String, Object> at = tree;
        String[] names = key.split("\\.");
        for (int i = 0; i < names.length - 1; i++) {
            Map<String, Object> next =
                    at.get(names[i]) instanceof Map<?, ?> map ? YamlText.section(map) : new LinkedHashMap<>();
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
                Map<String, Object> merged = YamlText.section(below);
                merge(merged, YamlText.section(map));
                base.put(key, merged);
            } else {
                base.put(key, value);
            }
        });
    }

    /** Says where the value of the key that a message begins with came from. */
    private ConfigException located(ConfigException e) {
        String message = String.valueOf(e.getMessage());
        int space = message.indexOf(' ');
        String origin = origins.get(space < 0 ? message : message.substring(0, space));
        if (origin != null) {
            return new ConfigException(origin + ": " + message, e);
        }
        return message.contains(file.toString()) ? e : new ConfigException(file + ": " + message, e);
    }

    private static String variable(String key) {
        return ENV_PREFIX + key.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
    }
}
