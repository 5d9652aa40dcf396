package io.llava4j.nano.world;

import io.llava4j.nano.world.Background.Pattern;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An endless, seeded sequence of scenes. Scene {@code i} depends on seed, options and {@code i} only. Thread-safe.
 */
public final class SceneSampler {
    /** Largest overlap of two objects' boxes as a fraction of the smaller one. */
    public static final double MAX_OVERLAP = 0.08;

    private static final double[] PATTERN_WEIGHTS = {0.4, 0.2, 0.15, 0.1, 0.15};
    /** Weights of 1, 2, … 5 objects before the options limit the range. */
    private static final double[] COUNT_WEIGHTS = {0.22, 0.3, 0.24, 0.15, 0.09};
    /** Largest object in scenes of 1, 2, … objects, relative to the options' largest. */
    private static final double[] CROWDING = {1.4, 1.0, 0.9, 0.78, 0.7};

    private static final double MARGIN = 0.01;
    private static final int ATTEMPTS = 40;
    private static final int SHRINKS = 5;

    private final Sprites sprites;
    private final SceneOptions options;
    private final long seed;
    private final List<Category> categories;

    /**
     * @param sprites the drawings
     * @param options of the scenes
     * @param seed of the sequence
     * @throws IllegalArgumentException if the allowed sets hold no drawing
     */
    public SceneSampler(Sprites sprites, SceneOptions options, long seed) {
        this.sprites = sprites;
        this.options = options;
        this.seed = seed;
        this.categories = sprites.categoriesIn(options.sets());
        if (categories.isEmpty()) {
            throw new IllegalArgumentException("the sets " + options.sets() + " hold no drawing");
        }
    }

    /** The categories that scenes are made of. */
    public List<Category> categories() {
        return categories;
    }

    /** The scene with an index from 0. */
    public Scene scene(long index) {
        SplitMix64 random = SplitMix64.of(seed, "scene", index);
        Background background = background(random);
        int wanted = count(random);
        List<Extent> taken = new ArrayList<>();
        Sign sign = null;
        if (random.chance(options.signProbability())) {
            wanted = Math.max(options.minObjects(), Math.min(wanted, 3));
            sign = sign(random);
            taken.add(sign.box());
        }
        List<SceneObject> objects = new ArrayList<>();
        for (int i = 0; i < wanted; i++) {
            SceneObject object = object(random, background, wanted + (sign == null ? 0 : 1), objects, taken);
            if (object != null) {
                objects.add(object);
                taken.add(object.box());
            }
        }
        return new Scene(index, background, objects, sign);
    }

    private int count(SplitMix64 random) {
        double[] weights = new double[options.maxObjects()];
        System.arraycopy(
                COUNT_WEIGHTS,
                options.minObjects() - 1,
                weights,
                options.minObjects() - 1,
                options.maxObjects() - options.minObjects() + 1);
        return random.weighted(weights) + 1;
    }

    private @Nullable SceneObject object(
            SplitMix64 random, Background background, int crowd, List<SceneObject> before, List<Extent> taken) {
        Category category = category(random, before);
        Sprite sprite = random.pick(sprites.of(category, options.sets()));
        NamedColor tint = null;
        if (random.chance(options.tintProbability())) {
            // An object in the background's colour would be invisible.
            List<NamedColor> free = NamedColor.TINTS.stream()
                    .filter(color -> !color.name().equals(background.color().name()))
                    .toList();
            tint = random.pick(free);
        }
        boolean mirrored = random.chance(0.5);
        double angle = random.chance(0.5) ? 0 : random.between(-options.maxAngle(), options.maxAngle());
        Extent extent = sprite.extent(mirrored, angle);
        double largest = Math.min(1 - 2 * MARGIN, options.maxSize() * CROWDING[Math.min(crowd, 5) - 1]);
        double size = random.between(Math.min(options.minSize(), largest), largest);
        for (int shrink = 0; shrink < SHRINKS; shrink++) {
            double scale = size / Math.max(extent.width(), extent.height());
            double width = extent.width() * scale;
            double height = extent.height() * scale;
            for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
                double left = random.between(MARGIN, 1 - MARGIN - width);
                double top = random.between(MARGIN, 1 - MARGIN - height);
                Extent box = new Extent(left, top, left + width, top + height);
                if (taken.stream().allMatch(other -> box.overlap(other) <= MAX_OVERLAP)) {
                    return new SceneObject(
                            category,
                            sprite,
                            tint,
                            mirrored,
                            angle,
                            left - extent.left() * scale,
                            top - extent.top() * scale,
                            scale,
                            box);
                }
            }
            size = Math.max(options.minSize() * 0.85, size * 0.85);
        }
        return null;
    }

    private Category category(SplitMix64 random, List<SceneObject> before) {
        if (!before.isEmpty() && random.chance(options.repeatProbability())) {
            return random.pick(before).category();
        }
        Set<Category> present = new HashSet<>();
        before.forEach(object -> present.add(object.category()));
        Category category = random.pick(categories);
        while (present.contains(category) && present.size() < categories.size()) {
            category = random.pick(categories);
        }
        return category;
    }

    private static Background background(SplitMix64 random) {
        NamedColor color = random.pick(NamedColor.BACKGROUNDS);
        Pattern pattern = Pattern.values()[random.weighted(PATTERN_WEIGHTS)];
        int shade = shade(random, color, 0);
        int otherShade = shade(random, color, random.between(10, 20) * (random.chance(0.5) ? 1 : -1));
        return new Background(
                color,
                pattern,
                shade,
                otherShade,
                random.between(0, Math.PI),
                random.between(0.12, 0.35),
                random.nextLong());
    }

    /** The colour, slightly varied and {@code lighter} levels lighter; people still call it the same. */
    private static int shade(SplitMix64 random, NamedColor color, int lighter) {
        int red = Math.clamp(color.red() + lighter + random.between(-6, 6), 0, 255);
        int green = Math.clamp(color.green() + lighter + random.between(-6, 6), 0, 255);
        int blue = Math.clamp(color.blue() + lighter + random.between(-6, 6), 0, 255);
        return red << 16 | green << 8 | blue;
    }

    private static Sign sign(SplitMix64 random) {
        String word = random.pick(SignFont.WORDS);
        double cell = Math.min(random.between(0.024, 0.034), 0.94 / SignFont.columns(word));
        double width = SignFont.columns(word) * cell;
        double height = SignFont.ROWS * cell;
        double left = random.between(0.02, 0.98 - width);
        double top = random.chance(0.5) ? random.between(0.02, 0.08) : random.between(0.92, 0.98) - height;
        return new Sign(word, new Extent(left, top, left + width, top + height), random.chance(0.5));
    }
}
