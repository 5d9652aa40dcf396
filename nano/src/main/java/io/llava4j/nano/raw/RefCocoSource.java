package io.llava4j.nano.raw;

import io.llava4j.nano.text.Questions;
import io.llava4j.nano.text.Wording;
import io.llava4j.nano.world.Extent;
import io.llava4j.nano.world.Place;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneObject;
import io.llava4j.nano.world.SceneOptions;
import io.llava4j.nano.world.SplitMix64;
import io.llava4j.train.data.raw.PickleWriter;
import io.llava4j.train.data.raw.RawWriter;
import io.llava4j.train.data.raw.RegionSchemas;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * RefCOCO, RefCOCO+ and RefCOCOg: expressions that refer to exactly one object of an image. RefCOCO has one for each object,
 * the other two for some, so that the pairs of an image nearly always make one conversation.
 */
final class RefCocoSource implements RawSource {
    /** Probability that RefCOCO+ or RefCOCOg refers to an object. */
    private static final double ALSO = 0.1;

    /** The three sets: folder, reference file and kind of expressions. */
    private enum Dataset {
        PLAIN("refcoco", "refs(unc).p"),
        WITHOUT_PLACES("refcoco+", "refs(unc).p"),
        SENTENCES("refcocog", "refs(umd).p");

        private final String folder;
        private final String refs;

        Dataset(String folder, String refs) {
            this.folder = folder;
            this.refs = refs;
        }

        /** An expression for an object, if one refers to no other object. */
        Optional<String> words(Scene scene, SceneObject object, SplitMix64 random) {
            boolean unique = Questions.isUnique(scene, object);
            Optional<String> place = place(scene, object);
            boolean identified = unique || place.isPresent();
            return switch (this) {
                case PLAIN ->
                    unique && random.chance(0.5)
                            ? Optional.of("the " + object.category().name())
                            : Optional.of(Wording.bare(object) + place.orElse(""))
                                    .filter(words -> identified);
                case WITHOUT_PLACES -> Optional.of(Wording.bare(object)).filter(words -> unique && random.chance(ALSO));
                case SENTENCES ->
                    Optional.of(Wording.phrase(object) + place.orElse(""))
                            .filter(words -> identified && random.chance(ALSO));
            };
        }
    }

    /** Few boxes: each takes twenty tokens, far more than the short answers of so small a mixture. */
    @Override
    public List<SceneOptions> scenes(SceneOptions usual) {
        return List.of(usual.withObjects(1, 3));
    }

    @Override
    public void write(SourceImages scenes) throws IOException {
        for (Dataset set : Dataset.values()) {
            write(set, scenes);
        }
        for (int i = 0; i < scenes.count(); i++) {
            scenes.draw(i, scenes.scene(i), "coco/train2017/" + scenes.cocoName(i));
        }
    }

    private static void write(Dataset set, SourceImages scenes) throws IOException {
        Path instances = scenes.file("refcoco/" + set.folder + "/instances.json");
        Path refs = scenes.file("refcoco/" + set.folder + "/" + set.refs);
        List<Map<String, Object>> images = new ArrayList<>();
        for (int i = 0; i < scenes.count(); i++) {
            images.add(RegionSchemas.cocoImage(scenes.number(i), scenes.size(), scenes.size()));
        }
        try (RawWriter boxes = RawWriter.field(instances, Map.of("images", images), "annotations");
                PickleWriter references = new PickleWriter(refs)) {
            int box = 0;
            int sentence = 0;
            for (int i = 0; i < scenes.count(); i++) {
                Scene scene = scenes.scene(i);
                SplitMix64 random = scenes.random(scenes.count() * set.ordinal() + i);
                for (SceneObject object : scene.objects()) {
                    Extent extent = object.box();
                    boxes.add(RegionSchemas.cocoBox(
                            ++box,
                            scenes.number(i),
                            scenes.pixels(extent.left()),
                            scenes.pixels(extent.top()),
                            scenes.pixels(extent.width()),
                            scenes.pixels(extent.height())));
                    Optional<String> words = set.words(scene, object, random);
                    if (words.isPresent()) {
                        references.add(
                                RegionSchemas.reference(box, box, scenes.number(i), sentence++, List.of(words.get())));
                    }
                }
            }
        }
    }

    /** Place of an object, if it is unambiguous and no object of its category is there, too. */
    private static Optional<String> place(Scene scene, SceneObject object) {
        Place place = Place.of(object.box());
        boolean alone = scene.objects().stream()
                .noneMatch(other ->
                        other != object && other.category().equals(object.category()) && place.couldMean(other.box()));
        return alone && Place.isClear(object.box()) ? Optional.of(" " + place.phrase()) : Optional.empty();
    }
}
