package io.llava4j.nano.text;

import io.llava4j.nano.world.Place;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneObject;
import io.llava4j.nano.world.Sign;
import io.llava4j.nano.world.SignFont;
import io.llava4j.nano.world.SplitMix64;
import io.llava4j.text.Turn;
import io.llava4j.train.data.Boxes;
import java.util.ArrayList;
import java.util.List;

/** Descriptions of scenes, complete enough to answer every question; a language model reads them in place of images. */
public final class SceneDescriptions {
    private SceneDescriptions() {}

    /**
     * One line about all objects, the sign and the background, in one of several styles.
     *
     * @param withBoxes whether to give coordinates instead of places
     */
    public static String describe(Scene scene, boolean withBoxes, SplitMix64 random) {
        List<SceneObject> objects = new ArrayList<>(scene.objects());
        random.shuffle(objects);
        List<String> parts = new ArrayList<>();
        Sign sign = scene.sign();
        String color = scene.background().color().name();
        if (withBoxes) {
            objects.forEach(object -> parts.add(
                    Wording.phrase(object) + " at " + Boxes.text(object.box().toBox())));
            parts.add(color + " background");
            return String.join(" ; ", parts);
        }
        switch (random.nextInt(4)) {
            case 0 -> {
                objects.forEach(object -> parts.add(Place.of(object.box()).words() + ": " + Wording.phrase(object)));
                if (sign != null) {
                    parts.add("sign: " + SignFont.read(sign.word()));
                }
                parts.add("background: " + color);
                return String.join(" ; ", parts);
            }
            case 1 -> {
                objects.forEach(object -> parts.add(Wording.sentence(
                        Wording.phrase(object) + " is " + Place.of(object.box()).phrase())));
                if (sign != null) {
                    parts.add("The sign says " + SignFont.read(sign.word()) + ".");
                }
                parts.add("The background is " + color + ".");
                return String.join(" ", parts);
            }
            case 2 -> {
                objects.forEach(object -> parts.add(
                        Wording.phrase(object) + " (" + Place.of(object.box()).words() + ")"));
                if (sign != null) {
                    parts.add("a sign that says " + SignFont.read(sign.word()));
                }
                return Wording.list(parts) + " on " + Wording.withArticle(color) + " background";
            }
            default -> {
                parts.add(color + " background");
                objects.forEach(object -> parts.add(
                        Wording.bare(object) + " " + Place.of(object.box()).words()));
                if (sign != null) {
                    parts.add("sign " + SignFont.read(sign.word()));
                }
                return String.join(" . ", parts);
            }
        }
    }

    /** A conversation whose first turn has a description, or the image's placeholder, on a line before it. */
    public static List<Turn> before(List<Turn> turns, String description) {
        List<Turn> all = new ArrayList<>(turns);
        all.set(0, Turn.human(description + "\n" + turns.getFirst().text()));
        return all;
    }

    /** All objects in one sentence, unique ones with their positions, and the sign in another. */
    public static String everything(Scene scene) {
        List<String> parts = new ArrayList<>();
        for (List<SceneObject> alike : Wording.alike(scene.objects())) {
            SceneObject first = alike.getFirst();
            parts.add(Wording.counted(alike.size(), first)
                    + (alike.size() == 1 && Place.isClear(first.box())
                            ? " " + Place.of(first.box()).phrase()
                            : ""));
        }
        boolean plural = Wording.alike(scene.objects()).getFirst().size() > 1;
        Sign sign = scene.sign();
        return "There " + (plural ? "are " : "is ") + Wording.list(parts) + "."
                + (sign == null ? "" : " The sign says " + SignFont.read(sign.word()) + ".");
    }
}
