package io.llava4j.generate.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.checkpoint.SmallModel;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.ModelLoader;
import io.llava4j.generate.Sampler;
import io.llava4j.generate.session.ImagePrompt;
import io.llava4j.image.AspectMode;
import io.llava4j.image.RgbImage;
import io.llava4j.image.tile.ImageDigest;
import io.llava4j.image.tile.ImageSize;
import io.llava4j.image.tile.PatchMerge;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.image.tile.Tiling;
import io.llava4j.model.LlavaModel;
import io.llava4j.text.Prompt;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Caches of a model that tiles images. */
class TiledCacheTest {
    private static final int[] QUESTION = {1, Prompt.IMAGE_TOKEN_INDEX, 5, 6, 7};

    @TempDir
    private Path folder;

    /** A black image is black on every canvas; its size alone decides which features of its tiles are kept. */
    @Test
    void imagesOfEqualPixelsAndDifferentSizesShareNothing() {
        Path small = SmallModel.write(
                folder.resolve("model"),
                SmallModel.config(48, -1)
                        .withAspectMode(AspectMode.ANYRES)
                        .withTiling(new Tiling(List.of(new ImageSize(56, 56)), PatchMerge.SPATIAL_UNPAD)),
                null);
        try (LlavaModel model = ModelLoader.load(small, "cpu").model()) {
            PreparedImage square = black(model, 40, 40);
            PreparedImage strip = black(model, 40, 15);
            PreparedImage tower = black(model, 15, 40);
            assertThat(strip.pixels()).isEqualTo(square.pixels()).isEqualTo(tower.pixels());
            assertThat(List.of(square, strip, tower))
                    .extracting(image -> image.order().tokens(4))
                    .containsExactly(4 + 4 * 5, 4 + 2 * 5, 4 + 4 * 3);
            assertThat(strip).isNotEqualTo(square);
            assertThat(Set.of(ImageDigest.of(square), ImageDigest.of(strip), ImageDigest.of(tower)))
                    .hasSize(3);
            List<PreparedImage> all = List.of(square, strip, tower, black(model, 40, 15));
            List<int[]> alone = all.stream()
                    .map(image -> answers(model, List.of(image)).getFirst())
                    .toList();
            assertThat(answers(model, all)).usingRecursiveComparison().isEqualTo(alone);
        }
    }

    /** One after the other, so that each finds what those before it have left in the caches. */
    private static List<int[]> answers(LlavaModel model, List<PreparedImage> images) {
        try (Scheduler scheduler =
                new Scheduler(model, new Scheduler.Limits(8, 1000, 0, 1 << 20, Duration.ZERO), true)) {
            return images.stream()
                    .map(image -> {
                        Recorded answer = new Recorded();
                        Work work = new Work(
                                new ImagePrompt(QUESTION, List.of(image)),
                                8,
                                Set.of(),
                                new Sampler(GenerationOptions.greedy(8))::sample,
                                null,
                                -1,
                                0);
                        scheduler.submit(List.of(work), List.of(answer));
                        return answer.await().tokens.stream()
                                .mapToInt(ChosenToken::id)
                                .toArray();
                    })
                    .toList();
        }
    }

    private static PreparedImage black(LlavaModel model, int width, int height) {
        return model.config().imagePreparation().prepare(new RgbImage(width, height, new byte[3 * width * height]));
    }
}
