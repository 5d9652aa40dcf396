package io.llava4j.nano.raw;

import io.llava4j.nano.text.Wording;
import io.llava4j.nano.world.Extent;
import io.llava4j.nano.world.Place;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneObject;
import io.llava4j.nano.world.SceneOptions;
import io.llava4j.nano.world.SplitMix64;
import io.llava4j.train.data.raw.RawWriter;
import io.llava4j.train.data.raw.RegionSchemas;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Visual Genome: descriptions of the regions of an image, one for each object. */
final class VisualGenomeSource implements RawSource {
    /** Few regions: a box takes twenty tokens, far more than the short answers of so small a mixture. */
    @Override
    public List<SceneOptions> scenes(SceneOptions usual) {
        return List.of(usual.withObjects(1, 2));
    }

    @Override
    public void write(SourceImages scenes) throws IOException {
        try (RawWriter regions = RawWriter.array(scenes.file("vg/region_descriptions.json"));
                RawWriter images = RawWriter.array(scenes.file("vg/image_data.json"))) {
            int region = 0;
            for (int i = 0; i < scenes.count(); i++) {
                SplitMix64 random = scenes.random(i);
                Scene scene = scenes.scene(i);
                int image = scenes.number(i);
                List<Map<String, Object>> all = new ArrayList<>();
                for (SceneObject object : scene.objects()) {
                    Extent box = object.box();
                    all.add(RegionSchemas.region(
                            ++region,
                            image,
                            phrase(object, random),
                            round(box.left() * scenes.size()),
                            round(box.top() * scenes.size()),
                            round(box.width() * scenes.size()),
                            round(box.height() * scenes.size())));
                }
                Map<String, Object> record = new LinkedHashMap<>();
                record.put("regions", all);
                record.put("id", image);
                regions.add(record);
                images.add(RegionSchemas.visualGenomeImage(image, scenes.size(), scenes.size()));
                scenes.draw(i, scene, "vg/" + RegionSchemas.visualGenomePath(image));
            }
        }
    }

    private static String phrase(SceneObject object, SplitMix64 random) {
        String place =
                Place.isClear(object.box()) ? " " + Place.of(object.box()).phrase() : "";
        return random.pick(
                List.of(Wording.phrase(object) + place, "the " + Wording.bare(object), Wording.phrase(object)));
    }

    private static int round(double pixels) {
        return (int) Math.round(pixels);
    }
}
