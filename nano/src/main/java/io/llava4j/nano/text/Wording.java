package io.llava4j.nano.text;

import io.llava4j.nano.world.Category;
import io.llava4j.nano.world.NamedColor;
import io.llava4j.nano.world.SceneObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** English grammar: articles, plurals, lists. */
public final class Wording {
    private static final List<String> NUMBERS = List.of("no", "one", "two", "three", "four", "five");

    private Wording() {}

    /** Words with their indefinite article: "a red cat", "an orange cat". */
    public static String withArticle(String words) {
        return ("aeiou".indexOf(words.charAt(0)) >= 0 ? "an " : "a ") + words;
    }

    /** "a cat", "a red cat". */
    public static String phrase(Category category, @Nullable NamedColor tint) {
        return tint == null ? category.withArticle() : withArticle(tint.name() + " " + category.name());
    }

    /** The object with its color and article: "a red cat". */
    public static String phrase(SceneObject object) {
        return phrase(object.category(), object.tint());
    }

    /** "cat", "red cat". */
    public static String bare(SceneObject object) {
        return object.tint() == null
                ? object.category().name()
                : object.tint().name() + " " + object.category().name();
    }

    /** "a cat", "two red cats". */
    public static String counted(int count, SceneObject example) {
        if (count == 1) {
            return phrase(example);
        }
        String color = example.tint() == null ? "" : example.tint().name() + " ";
        return number(count) + " " + color + example.category().plural();
    }

    /** Objects by name with their numbers, in order of first appearance: "a cat and two red dogs". */
    public static String counted(List<SceneObject> objects) {
        return list(alike(objects).stream()
                .map(alike -> counted(alike.size(), alike.getFirst()))
                .toList());
    }

    /** A number from 0 to 5 in words; "no" for 0. */
    public static String number(int count) {
        return NUMBERS.get(count);
    }

    /** "a, b and c". */
    public static String list(List<String> parts) {
        if (parts.size() == 1) {
            return parts.getFirst();
        }
        return String.join(", ", parts.subList(0, parts.size() - 1)) + " and " + parts.getLast();
    }

    /** Objects grouped by their names, in order of first appearance. */
    public static List<List<SceneObject>> alike(List<SceneObject> objects) {
        Map<String, List<SceneObject>> groups = new LinkedHashMap<>();
        for (SceneObject object : objects) {
            groups.computeIfAbsent(bare(object), key -> new ArrayList<>()).add(object);
        }
        return List.copyOf(groups.values());
    }

    /** First letter upper case, a full stop at the end. */
    public static String sentence(String words) {
        return Character.toUpperCase(words.charAt(0)) + words.substring(1) + ".";
    }
}
