package io.llava4j.train.config;

import io.llava4j.ConfigException;
import io.llava4j.io.KebabCase;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Turns trees of maps, lists and scalars into records and back. Keys are component names in kebab-case or their
 * {@link Alias}; a component that is not in the tree takes its {@link Default}, or null where it may be null.
 *
 * <p>Not Jackson's own binding, because every message must name the whole key, the value and what would be right.
 */
public final class RecordBinder {
    private final Consumer<String> notes;

    /** @param notes receives a sentence for each old name in a tree */
    RecordBinder(Consumer<String> notes) {
        this.notes = notes;
    }

    /** Key of a record component. */
    public static String key(RecordComponent component) {
        return component.getName().replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
    }

    /** Every key below a record type that holds a value rather than a section, with dots, in order. */
    public static List<String> keys(Class<?> record) {
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
        Map<String, Object> renamed = withoutOldNames(type, tree, at);
        @Nullable Object[] values = new Object[components.length];
        Class<?>[] types = new Class<?>[components.length];
        for (int i = 0; i < components.length; i++) {
            types[i] = components[i].getType();
            values[i] = value(components[i], renamed.get(key(components[i])), at + key(components[i]));
        }
        try {
            return type.getDeclaredConstructor(types).newInstance(values);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof ConfigException refused) {
                // The record's own checks know their keys only; nested records have been built already.
                throw new ConfigException(at + refused.getMessage(), refused);
            }
            throw new IllegalStateException(e);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The tree under today's keys; refuses those that neither exist nor existed. */
    private Map<String, Object> withoutOldNames(Class<?> type, Map<String, ?> tree, String at) {
        Map<String, String> known = new LinkedHashMap<>();
        for (RecordComponent component : type.getRecordComponents()) {
            known.put(key(component), key(component));
            Alias alias = component.getAnnotation(Alias.class);
            if (alias != null) {
                known.put(alias.value(), key(component));
            }
        }
        Map<String, Object> renamed = new LinkedHashMap<>();
        for (Map.Entry<String, ?> entry : tree.entrySet()) {
            String key = entry.getKey();
            String current = known.get(key);
            if (current == null) {
                requireRetired(type, key, entry.getValue(), at);
                continue;
            }
            if (!current.equals(key)) {
                note(at + key, "is now called " + current);
            }
            if (renamed.containsKey(current)) {
                throw new ConfigException(
                        "%s is set twice, as %s and under its old name; remove one".formatted(at + current, current));
            }
            renamed.put(current, entry.getValue());
        }
        return renamed;
    }

    private void requireRetired(Class<?> type, String key, @Nullable Object value, String at) {
        for (Retired retired : type.getAnnotationsByType(Retired.class)) {
            if (retired.key().equals(key)) {
                if (!retired.only().isEmpty() && !retired.only().equals(String.valueOf(value))) {
                    throw new ConfigException(
                            "%s must be %s, not '%s'; remove the key".formatted(at + key, retired.only(), value));
                }
                note(at + key, "is no longer a key and has no effect; remove it");
                return;
            }
        }
        List<String> names = new ArrayList<>();
        for (RecordComponent component : type.getRecordComponents()) {
            names.add(at + key(component));
        }
        throw unknown(at + key, names);
    }

    /** One note for all items of a list. */
    private void note(String key, String sentence) {
        notes.accept(key.replaceAll("\\[\\d+]", "") + " " + sentence);
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
                tree.put(key(component), unbound(member));
            }
        }
        return tree;
    }

    private static Object unbound(Object value) {
        return switch (value) {
            case Record record -> unbind(record);
            case Enum<?> constant -> KebabCase.of(constant);
            case Path path -> path.toString();
            case List<?> list -> list.stream().map(RecordBinder::unbound).toList();
            case Map<?, ?> map -> {
                Map<String, Object> tree = new LinkedHashMap<>();
                map.forEach((key, item) -> tree.put(String.valueOf(key), unbound(item)));
                yield tree;
            }
            default -> value;
        };
    }

    /** The exception for a key that does not exist. */
    static ConfigException unknown(String key, List<String> known) {
        return new ConfigException("unknown key '%s'; %s"
                .formatted(
                        key,
                        NearestName.of(key, known)
                                .map(n -> "did you mean '%s'?".formatted(n))
                                .orElse("known are " + String.join(", ", known))));
    }

    private @Nullable Object value(RecordComponent component, @Nullable Object raw, String key) {
        Class<?> type = component.getType();
        Object given = raw;
        Default fallback = component.getAnnotation(Default.class);
        if (given == null && fallback != null) {
            given = YamlText.value(key, fallback.value());
        }
        boolean optional = component.getAnnotatedType().isAnnotationPresent(Nullable.class);
        if (given == null && (type.isRecord() || type == Map.class) && !optional) {
            given = Map.of();
        }
        if (given == null) {
            if (optional) {
                return null;
            }
            throw new ConfigException(key + " is missing; write " + Scalars.expectation(type));
        }
        if (type == Map.class) {
            return map((Class<?>) element(component.getGenericType(), 1), given, key);
        }
        return type == List.class
                ? list(element(component.getGenericType(), 0), given, key)
                : convert(type, given, key);
    }

    private static Type element(Type container, int argument) {
        return ((ParameterizedType) container).getActualTypeArguments()[argument];
    }

    /** @param element a class, or the type of lists in a list */
    private List<Object> list(Type element, Object given, String key) {
        if (!(given instanceof List<?> list)) {
            throw Scalars.wrong(key, given, "a list such as [1, 2]");
        }
        List<Object> values = new ArrayList<>();
        for (int i = 0; i < list.size(); i++) {
            String at = "%s[%d]".formatted(key, i);
            Object each = list.get(i);
            values.add(
                    element instanceof Class<?> type
                            ? item(type, each, at)
                            : list(element(element, 0), each == null ? "" : each, at));
        }
        return values;
    }

    /** A section whose keys are names of the user's; the order is kept. */
    private Map<String, Object> map(Class<?> element, Object given, String key) {
        if (!(given instanceof Map<?, ?> section)) {
            throw Scalars.wrong(key, given, "a section with names of your own as keys");
        }
        Map<String, Object> values = new LinkedHashMap<>();
        section.forEach((name, item) -> values.put(String.valueOf(name), item(element, item, key + "." + name)));
        return values;
    }

    private Object item(Class<?> element, @Nullable Object given, String at) {
        if (given == null) {
            throw new ConfigException(at + " is empty; write " + Scalars.expectation(element));
        }
        return convert(element, given, at);
    }

    private Object convert(Class<?> type, Object given, String key) {
        if (!type.isRecord()) {
            return Scalars.convert(type, given, key, notes);
        }
        if (!(given instanceof Map<?, ?> map)) {
            throw Scalars.wrong(key, given, "a section with keys of its own");
        }
        Map<String, Object> section = new LinkedHashMap<>();
        map.forEach((name, item) -> section.put(String.valueOf(name), item));
        return bind(type, section, key + ".");
    }
}
