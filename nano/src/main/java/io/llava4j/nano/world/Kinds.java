package io.llava4j.nano.world;

import java.util.List;
import java.util.Map;

/** Supercategories with a common English noun; only these are asked about as a group. */
public final class Kinds {
    /** A group's noun in singular and plural. */
    public record Noun(String singular, String plural) {}

    private static final Map<String, Noun> NOUNS = Map.of(
            "animal", new Noun("animal", "animals"),
            "building", new Noun("building", "buildings"),
            "drink", new Noun("drink", "drinks"),
            "electronics", new Noun("electronic device", "electronic devices"),
            "food", new Noun("food item", "food items"),
            "plant", new Noun("plant", "plants"),
            "vehicle", new Noun("vehicle", "vehicles"));

    private Kinds() {}

    /** Whether a supercategory has a noun. */
    public static boolean isNamed(String supercategory) {
        return NOUNS.containsKey(supercategory);
    }

    /** All nouns in singular, sorted. */
    public static List<String> nouns() {
        return NOUNS.values().stream().map(Noun::singular).sorted().toList();
    }

    /** The noun of a named supercategory. */
    public static Noun of(String supercategory) {
        Noun noun = NOUNS.get(supercategory);
        if (noun == null) {
            throw new IllegalArgumentException("no noun for the group " + supercategory);
        }
        return noun;
    }
}
