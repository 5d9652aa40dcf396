package io.llava4j.nano.several;

import io.llava4j.nano.world.NamedColor;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneObject;
import io.llava4j.nano.world.SplitMix64;
import java.util.ArrayList;
import java.util.List;

/**
 * Draws questions about two and three images. Question {@code i} depends on seed, stream and {@code i} only; the kinds take turns. As
 * far as the kind allows, the first image alone does not tell the answer.
 */
final class ImageSets {
    private static final int KINDS = 8;

    private final ScenePool pool;
    private final long seed;
    private final String stream;

    ImageSets(ScenePool pool, long seed, String stream) {
        this.pool = pool;
        this.seed = seed;
        this.stream = stream;
    }

    ImageSet get(int index) {
        SplitMix64 random = SplitMix64.of(seed, stream, index);
        return switch (index % KINDS) {
            case 0, 1 -> same(random, 2);
            case 2 -> same(random, 3);
            case 3 -> more(random, 2);
            case 4 -> more(random, 3);
            case 5 -> missing(random);
            case 6 -> recolored(random);
            default -> odd(random);
        };
    }

    private ImageSet same(SplitMix64 random, int images) {
        boolean same = random.chance(0.5);
        List<Scene> scenes = new ArrayList<>(pool.alike(random, same ? images : images - 1));
        if (!same) {
            // Not in the first place, so that the first image does not differ from the others more often.
            scenes.add(random.between(1, scenes.size()), pool.other(random, scenes));
        }
        return new ImageSet(
                "same_" + images,
                List.copyOf(scenes),
                images == 2 ? "Do both images show the same thing?" : "Do all three images show the same thing?",
                same ? "yes" : "no");
    }

    private ImageSet more(SplitMix64 random, int images) {
        List<Scene> scenes = pool.unequal(random, images);
        String plural = scenes.getFirst().objects().getFirst().category().plural();
        String name = scenes.getFirst().objects().getFirst().category().name();
        int most = 0;
        for (int i = 1; i < images; i++) {
            most = scenes.get(i).count(name) > scenes.get(most).count(name) ? i : most;
        }
        return new ImageSet(
                "more_" + images,
                scenes,
                images == 2
                        ? "Which image shows more %s, the first or the second?".formatted(plural)
                        : "Which image shows the most %s, the first, the second or the third?".formatted(plural),
                ImageSet.PLACES.get(most));
    }

    /** The second image is the first with an object less, or the other way round. */
    private ImageSet missing(SplitMix64 random) {
        Scene whole = pool.different(random);
        List<SceneObject> objects = new ArrayList<>(whole.objects());
        SceneObject gone = objects.remove(random.nextInt(objects.size()));
        Scene rest = new Scene(whole.index(), whole.background(), objects, whole.sign());
        boolean added = random.chance(0.5);
        return new ImageSet(
                added ? "added_2" : "missing_2",
                added ? List.of(rest, whole) : List.of(whole, rest),
                added
                        ? "What is in the second image but not in the first?"
                        : "What is in the first image but not in the second?",
                gone.category().name());
    }

    /** The second image is the first with an object in another color. */
    private ImageSet recolored(SplitMix64 random) {
        Scene before = pool.different(random);
        List<SceneObject> objects = new ArrayList<>(before.objects());
        int at = random.nextInt(objects.size());
        SceneObject old = objects.get(at);
        NamedColor color = random.pick(NamedColor.TINTS.stream()
                .filter(tint -> !tint.equals(old.tint()))
                .filter(tint -> !tint.name().equals(before.background().color().name()))
                .toList());
        objects.set(
                at,
                new SceneObject(
                        old.category(),
                        old.sprite(),
                        color,
                        old.mirrored(),
                        old.angle(),
                        old.anchorX(),
                        old.anchorY(),
                        old.scale(),
                        old.box()));
        return new ImageSet(
                "changed_2",
                List.of(before, new Scene(before.index(), before.background(), objects, before.sign())),
                "What has another color in the second image?",
                old.category().name());
    }

    private ImageSet odd(SplitMix64 random) {
        List<Scene> scenes = new ArrayList<>(pool.alike(random, 2));
        int place = random.nextInt(ImageSet.PLACES.size());
        scenes.add(place, pool.other(random, scenes));
        return new ImageSet(
                "odd_3",
                List.copyOf(scenes),
                "Two of the three images show the same thing. Which is the other one, the first, the second or the third?",
                ImageSet.PLACES.get(place));
    }
}
