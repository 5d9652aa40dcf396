package io.llava4j.train.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.DataException;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.text.Prompt;
import io.llava4j.text.Turn;
import io.llava4j.train.data.DataLoader.Settings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DataLoaderTest {
    private static final Settings SKIP = new Settings(8, 3, Policy.SKIP, Policy.SKIP);
    private static final int SIZE = 100;

    /** Record i is named i and has index 2i in its file; every fourth one is text only, every seventh has two images. */
    private final LlavaData data = new LlavaData(
            Path.of("train.json"),
            IntStream.range(0, SIZE)
                    .mapToObj(i -> new LlavaRecord(
                            String.valueOf(i), images(i), List.of(Turn.human("?"), Turn.assistant("!"))))
                    .toList(),
            IntStream.range(0, SIZE).map(i -> 2 * i).toArray(),
            List.of(),
            0,
            List.of(),
            0,
            null,
            List.of());

    private final int[] order = new RandomSampler(SIZE).order(3, 0);

    @Test
    void batchesFollowTheOrderForAnyTiming() {
        SplittableRandom delays = new SplittableRandom(1);
        long[] nanos = delays.longs(SIZE, 0, 400_000).toArray();
        try (DataLoader loader = new DataLoader(
                data,
                DataLoaderTest::prompt,
                image -> {
                    LockSupport.parkNanos(nanos[number(image)]);
                    return ImageInput.of(PreparedImage.of(pixels(image)));
                },
                example -> {},
                SKIP,
                order,
                0)) {
            List<Batch> batches = drain(loader);

            assertThat(ids(batches)).containsExactlyElementsOf(ids(0));
            assertThat(batches).extracting(b -> b.examples().size()).containsOnly(8, 4);
            assertThat(batches).extracting(Batch::end).startsWith(8, 16).endsWith(96, 100);
            for (Example example :
                    batches.stream().flatMap(b -> b.examples().stream()).toList()) {
                int id = Integer.parseInt(example.record().id());
                assertThat(example.prompt().ids()).containsExactly(1, id);
                assertThat(example.prepared())
                        .hasSize(images(id).size())
                        .allSatisfy(image -> assertThat(image.pixels()).containsExactly(id));
            }
            assertThatThrownBy(loader::next).isInstanceOf(NoSuchElementException.class);
        }
    }

    @Test
    void resumesAfterABatch() {
        try (DataLoader loader = loader(DataLoaderTest::pixels, SKIP, 24)) {
            assertThat(ids(drain(loader))).containsExactlyElementsOf(ids(24));
        }
    }

    @Test
    void unreadableImagesShrinkTheirBatchAndAreListed() {
        int missing = IntStream.range(0, 8)
                .map(i -> order[i])
                .filter(id -> id % 4 != 0)
                .findFirst()
                .orElseThrow();
        List<List<String>> runs = new ArrayList<>();
        for (int run = 0; run < 2; run++) {
            try (DataLoader loader = loader(image -> failing(image, missing), SKIP, 0)) {
                List<Batch> batches = drain(loader);
                runs.add(ids(batches));

                assertThat(batches.getFirst().examples()).hasSize(7);
                assertThat(batches.get(1).examples()).hasSize(8);
                assertThat(loader.skipped())
                        .containsExactly(new SkippedRecord(
                                "train.json", 2 * missing, String.valueOf(missing), "image 'x' does not exist"));
            }
        }
        assertThat(runs.get(0)).isEqualTo(runs.get(1)).doesNotContain(String.valueOf(missing));
    }

    @Test
    void failingPolicyNamesFileAndRecord() {
        Settings fail = new Settings(8, 2, Policy.FAIL, Policy.SKIP);
        try (DataLoader loader = loader(image -> failing(image, 7), fail, 0)) {
            assertThatThrownBy(() -> drain(loader))
                    .isInstanceOf(DataException.class)
                    .hasMessage("train.json, record 14 (id 7): image 'x' does not exist");
        }
    }

    @Test
    void promptsWithoutSupervisedTokensAreReported() {
        try (DataLoader loader = new DataLoader(
                data,
                record -> new Prompt(new int[] {1}, new int[] {record.id().equals("5") ? Prompt.IGNORE_INDEX : 1}),
                image -> ImageInput.of(PreparedImage.of(pixels(image))),
                example -> {},
                SKIP,
                order,
                0)) {
            assertThat(ids(drain(loader))).hasSize(SIZE - 1).doesNotContain("5");
            assertThat(loader.skipped())
                    .singleElement()
                    .satisfies(s -> assertThat(s.reason()).contains("data.max-length"));
        }
    }

    @Test
    void unexpectedFailuresAreNeverSkipped() {
        try (DataLoader loader = loader(
                image -> {
                    throw new ArithmeticException("bug");
                },
                SKIP,
                0)) {
            assertThatThrownBy(() -> drain(loader))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("train.json, record ")
                    .hasRootCauseInstanceOf(ArithmeticException.class);
        }
    }

    @Test
    void readsAheadAtMostAFixedNumber() {
        AtomicInteger loaded = new AtomicInteger();
        try (DataLoader loader = new DataLoader(
                data,
                record -> {
                    loaded.incrementAndGet();
                    return prompt(record);
                },
                image -> ImageInput.of(PreparedImage.of(pixels(image))),
                example -> {},
                SKIP,
                order,
                0)) {
            loader.next();
            loader.next();

            assertThat(loaded.get()).isBetween(16, 40);
        }
    }

    private DataLoader loader(Function<String, float[]> pixels, Settings settings, int from) {
        return new DataLoader(
                data,
                DataLoaderTest::prompt,
                image -> ImageInput.of(PreparedImage.of(pixels.apply(image))),
                example -> {},
                settings,
                order,
                from);
    }

    private static Prompt prompt(LlavaRecord record) {
        int id = Integer.parseInt(record.id());
        return new Prompt(new int[] {1, id}, new int[] {Prompt.IGNORE_INDEX, id});
    }

    private static List<String> images(int id) {
        return id % 4 == 0 ? List.of() : id % 7 == 0 ? List.of(id + ".jpg", id + ".png") : List.of(id + ".jpg");
    }

    private static int number(String image) {
        return Integer.parseInt(image.substring(0, image.indexOf('.')));
    }

    private static float[] pixels(String image) {
        return new float[] {number(image)};
    }

    private static float[] failing(String image, int missing) {
        if (number(image) == missing) {
            throw new DataException("image 'x' does not exist");
        }
        return pixels(image);
    }

    private static List<Batch> drain(DataLoader loader) {
        List<Batch> batches = new ArrayList<>();
        loader.forEachRemaining(batches::add);
        return batches;
    }

    private static List<String> ids(List<Batch> batches) {
        return batches.stream()
                .flatMap(b -> b.examples().stream())
                .map(e -> e.record().id())
                .toList();
    }

    private List<String> ids(int from) {
        return IntStream.range(from, SIZE)
                .mapToObj(i -> String.valueOf(order[i]))
                .toList();
    }
}
