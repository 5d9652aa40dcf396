package io.llava4j.nano.text;

import io.llava4j.nano.world.Place;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneObject;
import io.llava4j.nano.world.Sign;
import io.llava4j.nano.world.SignFont;
import io.llava4j.nano.world.SplitMix64;
import java.util.ArrayList;
import java.util.List;

/** One-line captions of scenes in varied words: lower case, no full stop, as on web pages. */
public final class Captions {
    private static final List<String> INSTRUCTIONS = List.of(
            "Describe the image concisely.",
            "Give a brief description of the image.",
            "What is in the photo? Answer briefly.",
            "Write a short but informative summary of the picture.",
            "Describe the picture in a few words.",
            "Summarize what can be seen in the image.",
            "Share a concise description of the image provided.",
            "Present a compact description of the photo's key features.");

    private Captions() {}

    /** A random request for a short description; stage 1 discards it (docs/reference/data.md#pretraining-data). */
    public static String instruction(SplitMix64 random) {
        return random.pick(INSTRUCTIONS);
    }

    /** A caption that is true for the scene. */
    public static String caption(Scene scene, SplitMix64 random) {
        List<SceneObject> objects = new ArrayList<>(scene.objects());
        random.shuffle(objects);
        List<String> parts = new ArrayList<>();
        // With many objects a place can only be named after finding the object, which questions need, too.
        boolean places = random.chance(objects.size() > 2 ? 0.8 : 0.5);
        for (List<SceneObject> alike : Wording.alike(objects)) {
            SceneObject first = alike.getFirst();
            boolean placed = places && alike.size() == 1 && Place.isClear(first.box());
            parts.add(Wording.counted(alike.size(), first)
                    + (placed ? " " + Place.of(first.box()).phrase() : ""));
        }
        boolean plural = Wording.alike(objects).getFirst().size() > 1;
        Sign sign = scene.sign();
        if (sign != null) {
            parts.add("a sign that says " + SignFont.read(sign.word()));
        }
        String all = Wording.list(parts);
        String background = Wording.withArticle(scene.background().color().name()) + " background";
        return switch (random.nextInt(7)) {
            case 0, 1 -> all;
            case 2 -> (plural ? "there are " : "there is ") + all;
            case 3 -> "a picture of " + all;
            case 4 -> "an image with " + all;
            case 5 -> places ? all + ", with " + background : all + " on " + background;
            default -> background + " with " + all;
        };
    }
}
