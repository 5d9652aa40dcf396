package io.llava4j.nano.several;

import io.llava4j.nano.world.Category;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneOptions;
import io.llava4j.nano.world.SceneSampler;
import io.llava4j.nano.world.SplitMix64;
import io.llava4j.nano.world.Sprites;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Scenes by what they show, so that a question can take several that differ in what it asks about. */
final class ScenePool {
    private static final int SCENES_PER_CATEGORY = 12;

    /** Scenes of one object by its category. */
    private final Map<String, List<Scene>> singles = new TreeMap<>();

    /** Scenes by a category that they show, and by how often; of one to three objects, often alike. */
    private final Map<String, Map<Integer, List<Scene>>> counted = new TreeMap<>();

    /** Scenes of two or three objects of different categories, by number. */
    private final SceneSampler mixed;

    ScenePool(Sprites sprites, SceneOptions scenes, long seed) {
        SceneOptions alike = new SceneOptions(
                scenes.sets(),
                1,
                3,
                scenes.minSize(),
                scenes.maxSize(),
                scenes.tintProbability(),
                0.8,
                0,
                scenes.maxAngle());
        SceneSampler single = new SceneSampler(sprites, scenes.withObjects(1, 1).withSigns(0), seed);
        SceneSampler repeated = new SceneSampler(sprites, alike, seed + 1);
        mixed = new SceneSampler(sprites, scenes.withObjects(2, 3).withSigns(0), seed + 2);
        int size = SCENES_PER_CATEGORY * single.categories().size();
        for (int i = 0; i < size; i++) {
            Scene one = single.scene(i);
            singles.computeIfAbsent(one.objects().getFirst().category().name(), name -> new ArrayList<>())
                    .add(one);
            Scene several = repeated.scene(i);
            Category category = several.objects().getFirst().category();
            counted.computeIfAbsent(category.name(), name -> new TreeMap<>())
                    .computeIfAbsent(several.count(category.name()), count -> new ArrayList<>())
                    .add(several);
        }
        singles.values().removeIf(alikeScenes -> alikeScenes.size() < 3);
        counted.values().removeIf(byCount -> byCount.size() < 2);
    }

    /** Different scenes of one object of the same category. */
    List<Scene> alike(SplitMix64 random, int count) {
        List<Scene> scenes = new ArrayList<>(singles.getOrDefault(category(random, singles), List.of()));
        random.shuffle(scenes);
        return scenes.subList(0, count);
    }

    /** A scene of one object of a category that none of these shows. */
    Scene other(SplitMix64 random, List<Scene> scenes) {
        String name = category(random, singles);
        while (shows(scenes, name)) {
            name = category(random, singles);
        }
        return random.pick(singles.getOrDefault(name, List.of()));
    }

    private static boolean shows(List<Scene> scenes, String name) {
        return scenes.stream().anyMatch(scene -> scene.count(name) > 0);
    }

    /** Scenes that show a category differently often, at most three of them. */
    List<Scene> unequal(SplitMix64 random, int count) {
        Map<Integer, List<Scene>> byCount = counted.getOrDefault(category(random, counted), Map.of());
        while (byCount.size() < count) {
            byCount = counted.getOrDefault(category(random, counted), Map.of());
        }
        List<Integer> counts = new ArrayList<>(byCount.keySet());
        random.shuffle(counts);
        List<Scene> scenes = new ArrayList<>();
        for (int number : counts.subList(0, count)) {
            scenes.add(random.pick(byCount.getOrDefault(number, List.of())));
        }
        return scenes;
    }

    /** A scene of two or three objects, no two of one category. */
    Scene different(SplitMix64 random) {
        while (true) {
            Scene scene = mixed.scene(random.nextLong() >>> 20);
            long categories = scene.objects().stream()
                    .map(object -> object.category().name())
                    .distinct()
                    .count();
            if (categories == scene.objects().size() && categories > 1) {
                return scene;
            }
        }
    }

    private static String category(SplitMix64 random, Map<String, ?> scenes) {
        return random.pick(List.copyOf(scenes.keySet()));
    }
}
