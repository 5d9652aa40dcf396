package io.llava4j.nano.world;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.image.RgbImage;
import io.llava4j.nano.pretrain.NanoPairs;
import java.awt.Color;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class SceneSamplerTest {
    private static Sprites sprites;
    private static SceneOptions options;

    @BeforeAll
    static void load() {
        Drawings drawings = Drawings.load();
        sprites = new Sprites(drawings);
        options = SceneOptions.scenes(drawings.trainingSets());
    }

    @Test
    void sceneDependsOnSeedAndIndexOnly() {
        List<byte[]> inOrder = LongStream.range(0, 60)
                .mapToObj(i -> render(new SceneSampler(sprites, options, 7), i))
                .toList();
        SceneSampler other = new SceneSampler(new Sprites(sprites.drawings()), options, 7);
        List<byte[]> parallel = LongStream.range(0, 60)
                .map(i -> 59 - i)
                .parallel()
                .mapToObj(i -> render(other, i))
                .collect(Collectors.toCollection(ArrayList::new))
                .reversed();

        assertThat(parallel).usingRecursiveComparison().isEqualTo(inOrder);
        assertThat(render(new SceneSampler(sprites, options, 8), 0)).isNotEqualTo(inOrder.getFirst());
    }

    @Test
    void scenesFollowTheOptions() {
        SceneSampler sampler = new SceneSampler(sprites, options, 1);
        Set<Integer> counts = new TreeSet<>();
        Set<String> sets = new TreeSet<>();
        int signs = 0;
        int dyed = 0;
        int objects = 0;
        for (int i = 0; i < 2000; i++) {
            Scene scene = sampler.scene(i);
            counts.add(scene.objects().size());
            signs += scene.sign() == null ? 0 : 1;
            for (SceneObject object : scene.objects()) {
                objects++;
                dyed += object.tint() == null ? 0 : 1;
                sets.add(object.set());
                Extent box = object.box();
                assertThat(Math.min(box.left(), box.top())).isNotNegative();
                assertThat(Math.max(box.right(), box.bottom())).isLessThanOrEqualTo(1);
                assertThat(Math.max(box.width(), box.height())).isBetween(0.237, 0.98);
                if (object.tint() != null) {
                    assertThat(object.tint().name())
                            .isNotEqualTo(scene.background().color().name());
                }
                for (SceneObject neighbour : scene.objects()) {
                    if (neighbour != object) {
                        assertThat(neighbour.box().overlap(box)).isLessThanOrEqualTo(SceneSampler.MAX_OVERLAP);
                    }
                }
            }
        }
        assertThat(counts).containsExactly(1, 2, 3, 4, 5);
        assertThat(sets).containsExactlyInAnyOrderElementsOf(options.sets());
        assertThat(signs / 2000.0).isCloseTo(options.signProbability(), within(0.02));
        assertThat(dyed / (double) objects).isCloseTo(options.tintProbability(), within(0.02));
    }

    @Test
    void boxIsTightAroundTheDrawing() {
        SceneSampler sampler = new SceneSampler(sprites, options, 3);
        int size = 192;
        for (int i = 0; i < 150; i++) {
            for (SceneObject object : sampler.scene(i).objects()) {
                Extent drawn = drawnBox(object, size);
                Extent truth = object.box();
                String what =
                        "scene %d, a %s from %s".formatted(i, object.category().name(), object.set());
                assertThat(drawn.left()).as(what).isCloseTo(truth.left(), within(1.1 / size));
                assertThat(drawn.top()).as(what).isCloseTo(truth.top(), within(1.1 / size));
                assertThat(drawn.right()).as(what).isCloseTo(truth.right(), within(1.1 / size));
                assertThat(drawn.bottom()).as(what).isCloseTo(truth.bottom(), within(1.1 / size));
            }
        }
    }

    @Test
    void tintedObjectHasTheTintsHue() {
        SceneSampler sampler = new SceneSampler(sprites, options, 5);
        int checked = 0;
        for (int i = 0; i < 400; i++) {
            for (SceneObject object : sampler.scene(i).objects()) {
                if (object.tint() != null) {
                    int[] mean = meanColor(object, 64);
                    NamedColor nearest = NamedColor.TINTS.stream()
                            .min((a, b) -> Double.compare(hueDistance(a, mean), hueDistance(b, mean)))
                            .orElseThrow();
                    // Brown is dark orange: between the two, and red and pink, lightness decides and not hue.
                    assertThat(hueDistance(object.tint(), mean) - hueDistance(nearest, mean))
                            .as("%s %s in scene %d"
                                    .formatted(
                                            object.tint().name(),
                                            object.category().name(),
                                            i))
                            .isLessThan(0.05);
                    checked++;
                }
            }
        }
        assertThat(checked).isGreaterThan(150);
    }

    @Test
    void rejectsImpossibleOptions() {
        assertThatThrownBy(() -> options.withObjects(3, 2)).hasMessageContaining("3 to 2 objects");
        assertThatThrownBy(() -> options.withSizes(0.5, 1.2)).hasMessageContaining("[0.1, 1]");
        assertThatThrownBy(() -> SceneOptions.scenes(List.of())).hasMessageContaining("at least one set");
        assertThatThrownBy(() -> new NanoPairs(
                        sprites, SceneOptions.scenes(sprites.drawings().heldOutSets()), 32, 0))
                .hasMessageContaining("held-out");
    }

    @Test
    void pairsNameTheObjectsOfTheScene() {
        NanoPairs pairs = new NanoPairs(sprites, SceneOptions.singles(options.sets()), 32, 11);
        List<String> all = pairs.phrases();
        assertThat(all).doesNotHaveDuplicates();
        for (int i = 0; i < 200; i++) {
            NanoPairs.Pair pair = pairs.pair(i);
            SceneObject object = pairs.scene(i).objects().getFirst();
            assertThat(pair.image().width()).isEqualTo(32);
            assertThat(all).containsAll(pair.phrases());
            assertThat(pair.phrases()).contains(object.category().withArticle()).hasSize(object.tint() == null ? 2 : 3);
        }
        assertThat(all).contains("a cat", "an orange cat", "a yellow background", "the word stop");
    }

    private static byte[] render(SceneSampler sampler, long index) {
        return SceneRenderer.render(sampler.scene(index), 48).pixels();
    }

    /** The object alone on a flat background. */
    private static RgbImage alone(SceneObject object, int shade, int size) {
        Background background =
                new Background(NamedColor.BACKGROUNDS.getFirst(), Background.Pattern.PLAIN, shade, shade, 0, 1, 0);
        return SceneRenderer.render(new Scene(0, background, List.of(object), null), size);
    }

    /** Alpha of each pixel, from the difference between a white and a black background. */
    private static int[] alpha(SceneObject object, int size) {
        byte[] white = alone(object, 0xFFFFFF, size).pixels();
        byte[] black = alone(object, 0, size).pixels();
        int[] alpha = new int[size * size];
        for (int i = 0; i < alpha.length; i++) {
            alpha[i] = 255 - ((white[3 * i + 1] & 0xFF) - (black[3 * i + 1] & 0xFF));
        }
        return alpha;
    }

    private static Extent drawnBox(SceneObject object, int size) {
        int[] alpha = alpha(object, size);
        int left = size;
        int top = size;
        int right = 0;
        int bottom = 0;
        for (int i = 0; i < alpha.length; i++) {
            if (alpha[i] >= Sprite.VISIBLE_ALPHA) {
                left = Math.min(left, i % size);
                right = Math.max(right, i % size + 1);
                top = Math.min(top, i / size);
                bottom = Math.max(bottom, i / size + 1);
            }
        }
        double edge = size;
        return new Extent(left / edge, top / edge, right / edge, bottom / edge);
    }

    private static int[] meanColor(SceneObject object, int size) {
        int[] alpha = alpha(object, size);
        byte[] pixels = alone(object, 0, size).pixels();
        int[] mean = new int[3];
        for (int i = 0; i < alpha.length; i++) {
            for (int c = 0; c < 3; c++) {
                mean[c] += pixels[3 * i + c] & 0xFF;
            }
        }
        return mean;
    }

    /** Difference of hue in turns, from 0 to 0.5. */
    private static double hueDistance(NamedColor color, int[] rgb) {
        int brightest = Math.max(1, Math.max(rgb[0], Math.max(rgb[1], rgb[2])));
        double a = hue(rgb[0] * 255 / brightest, rgb[1] * 255 / brightest, rgb[2] * 255 / brightest);
        double b = hue(color.red(), color.green(), color.blue());
        double distance = Math.abs(a - b);
        return Math.min(distance, 1 - distance);
    }

    private static double hue(int red, int green, int blue) {
        return Color.RGBtoHSB(red, green, blue, null)[0];
    }
}
