package io.llava4j.nano.benchmark;

import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneSampler;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What POPE is built from: images of three categories or more and their instances in COCO's form. Its questions come from
 * POPE's own procedure, which belongs to evaluation.
 */
final class NanoPope implements NanoBenchmark {
    static final String NAME = "pope";
    private static final int IMAGES = 120;
    private static final int CATEGORIES = 3;
    /** Leaves enough absent categories to ask about. */
    private static final int FEWEST = 4;

    @Override
    public Map<String, Integer> write(BenchmarkFolder folder) {
        SceneSampler sampler = folder.sampler(NAME, folder.scenes().withObjects(CATEGORIES, 5));
        List<Scene> scenes = new ArrayList<>();
        for (int i = 0; scenes.size() < Math.max(FEWEST, folder.scaled(IMAGES)); i++) {
            Scene scene = sampler.scene(i);
            Set<String> names = scene.objects().stream()
                    .map(object -> object.category().name())
                    .collect(Collectors.toCollection(HashSet::new));
            if (names.size() >= CATEGORIES) {
                scenes.add(scene);
            }
        }
        Map<String, Object> instances = folder.split(NAME, sampler, scenes).instances();
        List<Object> images = new ArrayList<>();
        for (int i = 0; i < scenes.size(); i++) {
            String name = BenchmarkFolder.coco2014(i);
            images.add(BenchmarkFolder.object(
                    "id", i + 1, "file_name", name, "width", folder.imageSize(), "height", folder.imageSize()));
            folder.draw(scenes.get(i), NAME + "/val2014/" + name);
        }
        instances.put("images", images);
        folder.json(NAME + "/annotations/instances_val2014.json", instances);
        return Map.of(NAME, scenes.size());
    }
}
