package io.llava4j.train.recipe;

import io.llava4j.ConfigException;
import io.llava4j.io.KebabCase;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.ObjectMapper;

/**
 * Turns trees of maps, lists and scalars into records and back. Keys are component names in kebab-case; a component
 * that is not in the tree takes its {@link Default}, or null where it may be null.
 *
 * <p>Not Jackson's own binding, because every message must name the whole key, the value and what would be right.
 */
final class RecordBinder {
    private final ObjectMapper yaml;

    /** @param yaml reads the values of {@link Default} and of settings given as text */
    RecordBinder(ObjectMapper yaml) {
        this.yaml = yaml;
    }

    /** Key of a record component. */
    static String key(RecordComponent component) {
        return component.getName().replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
    }

    /** Every key below a record type that holds a value rather than a section, with dots, in order. */
    static List<String> keys(Class<?> record) {
        List<String> keys = new ArrayList<>();
        collectKeys(record, "", keys);
        return keys;
    }

    private static void collectKeys(Class<?> record, String prefix, List<String> keys) {
        for (RecordComponent component : record.getRecordComponents()) {
            if (component.getType().isRecord()) {
                collectKeys(component.getType(), prefix + key(component) + ".", keys);
            } else {
                keys.add(prefix + key(component));
            }
        }
    }

    /**
     * Builds a record.
     *
     * @param at key of the record with a closing dot; empty for the root
     * @throws ConfigException at an unknown key, a missing one or a value of the wrong kind
     */
    <T> T bind(Class<T> type, Map<String, ?> tree, String at) {
        RecordComponent[] components = type.getRecordComponents();
        Map<String, RecordComponent> known = new LinkedHashMap<>();
        for (RecordComponent component : components) {
            known.put(key(component), component);
        }
        for (String key : tree.keySet()) {
            if (!known.containsKey(key)) {
                throw unknown(at + key, known.keySet().stream().map(k -> at + k).toList());
            }
        }
        @Nullable Object[] values = new Object[components.length];
        Class<?>[] types = new Class<?>[components.length];
        for (int i = 0; i < components.length; i++) {
            types[i] = components[i].getType();
            values[i] = value(components[i], tree.get(key(components[i])), at + key(components[i]));
        }
        try {
            return type.getDeclaredConstructor(types).newInstance(values);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof ConfigException refused) {
                throw refused;
            }
            throw new IllegalStateException(e);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The tree {@link #bind} makes the same record of; nulls are left out. */
    static Map<String, Object> unbind(Record value) {
        Map<String, Object> tree = new LinkedHashMap<>();
        for (RecordComponent component : value.getClass().getRecordComponents()) {
            Object member;
            try {
                member = component.getAccessor().invoke(value);
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
            if (member != null) {
                tree.put(key(component), scalar(member));
            }
        }
        return tree;
    }

    /** The exception for a key that does not exist. */
    static ConfigException unknown(String key, Iterable<String> candidates) {
        List<String> names = new ArrayList<>();
        candidates.forEach(names::add);
        return new ConfigException("unknown key '%s'; %s"
                .formatted(
                        key,
                        NearestName.of(key, names)
                                .map(n -> "did you mean '%s'?".formatted(n))
                                .orElse("known are " + String.join(", ", names))));
    }

    /** Reads a value given as text, as YAML would. */
    @Nullable
    Object parse(String key, String text) {
        try {
            return text.isBlank() ? null : yaml.readValue(text, Object.class);
        } catch (JacksonException e) {
            throw new ConfigException("%s cannot be read from '%s'; write it as in YAML".formatted(key, text), e);
        }
    }

    private static Object scalar(Object value) {
        return switch (value) {
            case Record record -> unbind(record);
            case Enum<?> constant -> spelling(constant);
            case Path path -> path.toString();
            case List<?> list -> list.stream().map(RecordBinder::scalar).toList();
            case Map<?, ?> map -> {
                Map<String, Object> tree = new LinkedHashMap<>();
                map.forEach((key, item) -> tree.put(String.valueOf(key), scalar(item)));
                yield tree;
            }
            default -> value;
        };
    }

    private static String spelling(Enum<?> constant) {
        return KebabCase.of(constant);
    }

    private @Nullable Object value(RecordComponent component, @Nullable Object raw, String key) {
        Class<?> type = component.getType();
        Object given = raw;
        Default fallback = component.getAnnotation(Default.class);
        if (given == null && fallback != null) {
            given = parse(key, fallback.value());
        }
        boolean optional = component.getAnnotatedType().isAnnotationPresent(Nullable.class);
        if (given == null && (type.isRecord() || type == Map.class) && !optional) {
            given = Map.of();
        }
        if (given == null) {
            if (optional) {
                return null;
            }
            throw new ConfigException(key + " is missing; write " + expectation(type));
        }
        if (type == Map.class) {
            return map(element(component, 1), given, key);
        }
        if (type == List.class) {
            Class<?> element = element(component, 0);
            if (!(given instanceof List<?> list)) {
                throw wrong(key, given, "a list such as [1, 2]");
            }
            List<Object> values = new ArrayList<>();
            for (int i = 0; i < list.size(); i++) {
                String at = "%s[%d]".formatted(key, i);
                Object item = list.get(i);
                if (item == null) {
                    throw new ConfigException(at + " is empty; write " + expectation(element));
                }
                values.add(convert(element, item, at));
            }
            return values;
        }
        return convert(type, given, key);
    }

    private static Class<?> element(RecordComponent component, int argument) {
        return (Class<?>) ((ParameterizedType) component.getGenericType()).getActualTypeArguments()[argument];
    }

    /** A section whose keys are names of the user's; the order is kept. */
    private Map<String, Object> map(Class<?> element, Object given, String key) {
        if (!(given instanceof Map<?, ?> section)) {
            throw wrong(key, given, "a section with names of your own as keys");
        }
        Map<String, Object> values = new LinkedHashMap<>();
        section.forEach((name, item) -> {
            String at = key + "." + name;
            if (item == null) {
                throw new ConfigException(at + " is empty; write " + expectation(element));
            }
            values.put(String.valueOf(name), convert(element, item, at));
        });
        return values;
    }

    private Object convert(Class<?> type, Object given, String key) {
        if (type.isRecord()) {
            if (!(given instanceof Map<?, ?> map)) {
                throw wrong(key, given, "a section with keys of its own");
            }
            Map<String, Object> section = new LinkedHashMap<>();
            map.forEach((name, item) -> section.put(String.valueOf(name), item));
            return bind(type, section, key + ".");
        }
        if (given instanceof Map || given instanceof List) {
            throw wrong(key, given, expectation(type));
        }
        String text = given.toString();
        if (type.isEnum()) {
            return Arrays.stream(type.getEnumConstants())
                    .filter(c -> spelling((Enum<?>) c).equals(KebabCase.of(text)))
                    .findFirst()
                    .orElseThrow(() -> wrong(key, given, expectation(type)));
        }
        if (type == boolean.class || type == Boolean.class) {
            return switch (text.toLowerCase(Locale.ROOT)) {
                case "true" -> true;
                case "false" -> false;
                default -> throw wrong(key, given, expectation(type));
            };
        }
        try {
            return switch (type.getSimpleName()) {
                case "int", "Integer" -> Integer.valueOf(text);
                case "long", "Long" -> Long.valueOf(text);
                case "double", "Double" -> Double.valueOf(text);
                case "Path" -> Path.of(text);
                case "String" -> text;
                default -> throw new IllegalStateException(type.getName());
            };
        } catch (IllegalArgumentException e) {
            throw wrong(key, given, expectation(type));
        }
    }

    private static ConfigException wrong(String key, Object given, String expected) {
        return new ConfigException("%s must be %s, not '%s'".formatted(key, expected, given));
    }

    private static String expectation(Class<?> type) {
        if (type.isEnum()) {
            return String.join(
                    " or ",
                    Arrays.stream(type.getEnumConstants())
                            .map(c -> spelling((Enum<?>) c))
                            .toList());
        }
        return switch (type.getSimpleName()) {
            case "int", "Integer", "long", "Long" -> "a whole number";
            case "double", "Double" -> "a number";
            case "boolean", "Boolean" -> "true or false";
            case "Path" -> "a path";
            default -> "a value";
        };
    }
}
