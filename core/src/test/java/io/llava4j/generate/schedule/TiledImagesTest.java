package io.llava4j.generate.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.llava4j.checkpoint.safetensors.SafeTensors;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.ModelLoader;
import io.llava4j.generate.Sampler;
import io.llava4j.generate.session.ImagePrompt;
import io.llava4j.image.ImageDecoder;
import io.llava4j.image.ImagePreparation;
import io.llava4j.image.tile.PatchMerge;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.image.tile.Tiling;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.cpu.CpuImageEncoder;
import io.llava4j.model.cpu.ImageEncoding;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** LLaVA-NeXT's greedy answers on the CPU kernels, from image files on, all at once. */
class TiledImagesTest {
    private static final Path GOLDENS = Path.of("../../shared/goldens/llava-next");

    @BeforeAll
    static void needsGoldens() {
        assumeTrue(Files.isDirectory(GOLDENS), "reference data are not here: " + GOLDENS);
    }

    private record Case(ImagePrompt prompt, int[] answer) {}

    private static Case read(LlavaModel model, String name, String... images) {
        try (SafeTensors file =
                SafeTensors.open(GOLDENS.resolve("tiny-llava-next/mha/expected").resolve(name + ".safetensors"))) {
            List<PreparedImage> prepared = Stream.of(images)
                    .map(image -> ImageDecoder.decode(
                            GOLDENS.resolve("preprocess/images").resolve(image)))
                    .map(model.config().imagePreparation()::prepare)
                    .toList();
            return new Case(
                    new ImagePrompt(ints(file.tensor("input_ids").toLongs()), prepared),
                    ints(file.tensor("greedy_ids").toLongs()));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"flat", "spatial"})
    void featuresAreMergedAsTheConfigurationSays(String merge) {
        Path folder = GOLDENS.resolve("tiny-llava-next/mha");
        try (LlavaModel model =
                        ModelLoader.load(folder.resolve("hf-old-fp32"), "cpu").model();
                SafeTensors expected = SafeTensors.open(folder.resolve("merge_types.safetensors"))) {
            LlavaConfig config = model.config();
            ImagePreparation preparation = config.withTiling(new Tiling(
                            config.tiling().canvases(), PatchMerge.named(merge).orElseThrow()))
                    .imagePreparation();
            Map<String, String> images =
                    Map.of("wide", "wide_300x100.png", "tall", "tall_80x250.png", "odd", "odd_101x67.png");
            images.forEach((name, file) -> {
                PreparedImage image = preparation.prepare(
                        ImageDecoder.decode(GOLDENS.resolve("preprocess/images").resolve(file)));
                float[] tokens = Objects.requireNonNull(
                        new ImageEncoding(CpuImageEncoder.of(model), image).advance(Long.MAX_VALUE));
                float[] wanted = expected.tensor(name + "." + merge).toFloats();
                assertThat(tokens).as(name).hasSameSizeAs(wanted);
                for (int i = 0; i < tokens.length; i++) {
                    assertThat(tokens[i]).as("%s %d", name, i).isCloseTo(wanted[i], offset(3e-5f));
                }
            });
        }
    }

    private static int[] ints(long[] values) {
        return Arrays.stream(values).mapToInt(Math::toIntExact).toArray();
    }

    @ParameterizedTest
    @ValueSource(strings = {"liuhaotian-withtower-fp32", "hf-old-fp32", "hf-new-bf16"})
    void answersAreThoseOfLlava(String checkpoint) {
        Path folder = GOLDENS.resolve("tiny-llava-next/mha").resolve(checkpoint);
        try (LlavaModel model = ModelLoader.load(folder, "cpu").model();
                Scheduler scheduler =
                        new Scheduler(model, new Scheduler.Limits(8, 1000, 0, 1 << 20, Duration.ZERO), true)) {
            List<Case> cases = List.of(
                    read(model, "wide", "wide_300x100.png"),
                    read(model, "tall", "tall_80x250.png"),
                    read(model, "square", "square_120x120.png"),
                    read(model, "odd", "odd_101x67.png"),
                    read(model, "two_images", "wide_300x100.png", "tall_80x250.png"));
            List<Recorded> listeners = cases.stream().map(one -> new Recorded()).toList();
            scheduler.submit(
                    cases.stream()
                            .map(one -> new Work(
                                    one.prompt(),
                                    one.answer().length,
                                    Set.of(),
                                    new Sampler(GenerationOptions.greedy(one.answer().length))::sample,
                                    null,
                                    -1,
                                    0))
                            .toList(),
                    listeners);
            for (int i = 0; i < cases.size(); i++) {
                Recorded answer = listeners.get(i).await();
                assertThat(answer.tokens.stream().mapToInt(ChosenToken::id).toArray())
                        .as("case %d", i)
                        .containsExactly(cases.get(i).answer());
                assertThat(answer.usage().promptTokens())
                        .isEqualTo(cases.get(i).prompt().length(model.config()));
            }
        }
    }
}
