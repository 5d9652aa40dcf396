package io.llava4j.train.nano;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What each field of a grid over a scene shows, row by row from the top left, judged at the field's middle. */
final class SceneFields {
    private SceneFields() {}

    /** Phrases that are true of each field: of the thing in front, the sign's word, or the background. */
    static List<List<String>> phrases(Scene scene, int grid) {
        List<List<String>> fields = new ArrayList<>();
        for (int y = 0; y < grid; y++) {
            for (int x = 0; x < grid; x++) {
                fields.add(phrases(scene, (x + 0.5) / grid, (y + 0.5) / grid));
            }
        }
        return fields;
    }

    /**
     * One word a field: the thing or the colour it is dyed in, the sign's word, the background's colour. It is the text
     * that resembles image rows most, so a language model that can read it has less to learn when rows of a vision
     * tower take its place.
     */
    static String words(Scene scene, int grid, SplitMix64 random) {
        List<String> words = new ArrayList<>();
        for (int y = 0; y < grid; y++) {
            for (int x = 0; x < grid; x++) {
                words.add(word(scene, (x + 0.5) / grid, (y + 0.5) / grid, random));
            }
        }
        return String.join(" ", words);
    }

    private static List<String> phrases(Scene scene, double x, double y) {
        Sign sign = scene.sign();
        if (sign != null && contains(sign.box(), x, y)) {
            return List.of(NanoPairs.phrase(sign.word()));
        }
        SceneObject object = front(scene, x, y);
        if (object == null) {
            return List.of(NanoPairs.phrase(scene.background().color()));
        }
        String plain = object.category().withArticle();
        return object.tint() == null ? List.of(plain) : List.of(plain, Wording.phrase(object));
    }

    private static String word(Scene scene, double x, double y, SplitMix64 random) {
        Sign sign = scene.sign();
        if (sign != null && contains(sign.box(), x, y)) {
            return SignFont.read(sign.word());
        }
        SceneObject object = front(scene, x, y);
        if (object == null) {
            return scene.background().color().name();
        }
        NamedColor tint = object.tint();
        // One word a field: "fire" stands for a fire truck.
        return tint != null && random.nextInt(2) == 0
                ? tint.name()
                : object.category().name().split(" ", 2)[0];
    }

    /** The thing in front; later objects are painted over earlier ones. */
    private static @Nullable SceneObject front(Scene scene, double x, double y) {
        for (SceneObject object : scene.objects().reversed()) {
            if (contains(object.box(), x, y)) {
                return object;
            }
        }
        return null;
    }

    private static boolean contains(Extent box, double x, double y) {
        return x >= box.left() && x < box.right() && y >= box.top() && y < box.bottom();
    }
}
