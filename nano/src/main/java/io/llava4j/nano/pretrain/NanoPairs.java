package io.llava4j.nano.pretrain;

import io.llava4j.image.RgbImage;
import io.llava4j.nano.text.Wording;
import io.llava4j.nano.world.Category;
import io.llava4j.nano.world.NamedColor;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneObject;
import io.llava4j.nano.world.SceneOptions;
import io.llava4j.nano.world.SceneRenderer;
import io.llava4j.nano.world.SceneSampler;
import io.llava4j.nano.world.SignFont;
import io.llava4j.nano.world.Sprites;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Images with short phrases that are true of them, made on the fly: what a CLIP-style tower is pre-trained on.
 * Thread-safe; pair {@code i} depends on seed, options and {@code i} only.
 */
public final class NanoPairs {
    private final SceneSampler sampler;
    private final int size;

    /**
     * One image and what is in it.
     *
     * @param image square
     * @param phrases distinct and true, each one of {@link #phrases()}: "a cat" for each object and also "a red cat"
     *     for a dyed one, "the word stop" for a sign, "a yellow background"
     */
    public record Pair(RgbImage image, List<String> phrases) {}

    /**
     * @param sprites the drawings
     * @param options what the images look like; for a curriculum, {@link SceneOptions#singles} first
     * @param size edge of the images in pixels
     * @param seed of the sequence
     * @throws IllegalArgumentException if the options allow a held-out set
     */
    public NanoPairs(Sprites sprites, SceneOptions options, int size, long seed) {
        if (!sprites.drawings().trainingSets().containsAll(options.sets())) {
            throw new IllegalArgumentException(
                    "pairs are for training and may not show held-out sets: " + options.sets());
        }
        this.sampler = new SceneSampler(sprites, options, seed);
        this.size = size;
    }

    /** The pair with a number from 0 up. */
    public Pair pair(long index) {
        Scene scene = sampler.scene(index);
        return new Pair(SceneRenderer.render(scene, size), phrases(scene));
    }

    /**
     * Phrases that are true of each cell of a grid over the image, row by row from the top left.
     *
     * @param grid cells along an edge
     */
    public List<List<String>> cells(long index, int grid) {
        return GridCells.phrases(sampler.scene(index), grid);
    }

    /** Phrases that name each category, each word and each background: what every cell is distinguished from. */
    public List<String> plainPhrases() {
        List<String> plain = new ArrayList<>();
        sampler.categories().forEach(category -> plain.add(category.withArticle()));
        SignFont.WORDS.forEach(word -> plain.add(phrase(word)));
        NamedColor.BACKGROUNDS.forEach(color -> plain.add(phrase(color)));
        return List.copyOf(plain);
    }

    /** The scene of a pair. */
    public Scene scene(long index) {
        return sampler.scene(index);
    }

    /** Every phrase a pair can have: categories, dyed categories, words on signs, backgrounds. */
    public List<String> phrases() {
        List<String> all = new ArrayList<>();
        for (Category category : sampler.categories()) {
            all.add(category.withArticle());
        }
        for (Category category : sampler.categories()) {
            for (NamedColor tint : NamedColor.TINTS) {
                all.add(Wording.phrase(category, tint));
            }
        }
        SignFont.WORDS.forEach(word -> all.add(phrase(word)));
        NamedColor.BACKGROUNDS.forEach(color -> all.add(phrase(color)));
        return List.copyOf(all);
    }

    private static List<String> phrases(Scene scene) {
        Set<String> phrases = new LinkedHashSet<>();
        for (SceneObject object : scene.objects()) {
            phrases.add(object.category().withArticle());
            phrases.add(Wording.phrase(object));
        }
        if (scene.sign() != null) {
            phrases.add(phrase(scene.sign().word()));
        }
        phrases.add(phrase(scene.background().color()));
        return List.copyOf(phrases);
    }

    static String phrase(String word) {
        return "the word " + SignFont.read(word);
    }

    static String phrase(NamedColor background) {
        return Wording.withArticle(background.name()) + " background";
    }
}
