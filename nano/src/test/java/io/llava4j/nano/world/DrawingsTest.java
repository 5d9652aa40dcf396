package io.llava4j.nano.world;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.ZipFile;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class DrawingsTest {
    private static final Path RESOURCES = Path.of("src/main/resources/io/llava4j/nano/world");
    private static Drawings drawings;

    @BeforeAll
    static void load() {
        drawings = Drawings.load();
    }

    @Test
    void namesAreUniqueLowerCaseAndShort() {
        List<String> names = drawings.categories().stream().map(Category::name).toList();
        assertThat(names).hasSizeGreaterThanOrEqualTo(130).hasSizeLessThanOrEqualTo(180);
        assertThat(names).doesNotHaveDuplicates().allMatch(n -> n.matches("[a-z]+( [a-z]+)?"));
        assertThat(drawings.categories())
                .extracting(Category::plural)
                .doesNotHaveDuplicates()
                .allMatch(n -> n.matches("[a-z]+( [a-z]+)?"));
        assertThat(drawings.categories())
                .extracting(Category::withArticle)
                .contains("an apple", "a cat", "an hourglass", "a fire truck")
                .allMatch(n -> n.startsWith("an ") == ("aeiou".indexOf(n.split(" ")[1].charAt(0)) >= 0)
                        || n.equals("an hourglass"));
    }

    @Test
    void heldOutSetsAreNotTrainingSets() {
        assertThat(drawings.heldOutSets()).containsExactlyInAnyOrder("twemoji", "emojione");
        assertThat(drawings.trainingSets())
                .containsExactlyInAnyOrder(
                        "noto",
                        "noto-v1",
                        "fluent-emoji",
                        "fluent-emoji-flat",
                        "fxemoji",
                        "streamline-emojis",
                        "openmoji")
                .doesNotContainAnyElementsOf(drawings.heldOutSets());
    }

    @Test
    void everyCategoryHasEnoughDrawingsForTrainingAndTest() {
        for (Category category : drawings.categories()) {
            List<Drawing> training = drawings.of(category.name(), drawings.trainingSets());
            List<Drawing> heldOut = drawings.of(category.name(), drawings.heldOutSets());
            Set<String> sets = new HashSet<>();
            Stream.concat(training.stream(), heldOut.stream()).forEach(d -> sets.add(d.set()));
            assertThat(sets).as(category.name()).hasSizeGreaterThanOrEqualTo(6);
            assertThat(training).as(category.name()).hasSizeGreaterThanOrEqualTo(3);
            assertThat(heldOut).as(category.name()).extracting(Drawing::set).contains("twemoji", "emojione");
        }
    }

    @Test
    void everyDrawingIsCroppedToVisiblePixels() {
        for (Drawing d : all()) {
            String name = d.category() + " of " + d.set();
            assertThat(Math.max(d.width(), d.height())).as(name).isBetween(80, 96);
            assertThat(visibleInRow(d, 0) && visibleInRow(d, d.height() - 1))
                    .as(name)
                    .isTrue();
            assertThat(visibleInColumn(d, 0) && visibleInColumn(d, d.width() - 1))
                    .as(name)
                    .isTrue();
        }
    }

    @Test
    void pixelsAreThoseOfThePng() throws IOException {
        Drawing cat = drawings.of("cat", List.of("noto")).getFirst();
        try (ZipFile zip = new ZipFile(RESOURCES.resolve("drawings.zip").toFile());
                InputStream png = zip.getInputStream(zip.getEntry("noto/cat.png"))) {
            BufferedImage image = ImageIO.read(png);
            assertThat(cat.width()).isEqualTo(image.getWidth());
            assertThat(cat.argb())
                    .isEqualTo(image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth()));
        }
    }

    @Test
    void noDrawingOccursTwice() {
        Set<List<Integer>> seen = new HashSet<>();
        for (Drawing d : all()) {
            List<Integer> pixels = Arrays.stream(d.argb()).boxed().toList();
            assertThat(seen.add(pixels)).as(d.category() + " of " + d.set()).isTrue();
        }
    }

    @Test
    void everySetHasLicenceAndAttribution() throws IOException {
        List<String> rows = resource("drawings.tsv").lines().skip(1).toList();
        assertThat(rows).hasSize(all().size());
        String attribution = resource("ATTRIBUTION.md");
        for (String row : rows) {
            String[] cells = row.split("\t", -1);
            assertThat(attribution).contains("`" + cells[1] + "`");
            assertThat(resource("LICENSES/" + cells[4] + ".txt")).hasSizeGreaterThan(1000);
        }
    }

    @Test
    void resourcesStaySmall() throws IOException {
        try (Stream<Path> files = Files.walk(RESOURCES)) {
            long bytes = files.filter(Files::isRegularFile)
                    .mapToLong(DrawingsTest::size)
                    .sum();
            assertThat(bytes).isLessThan(20_000_000);
        }
    }

    @Test
    void unknownCategoryIsAnError() {
        assertThatThrownBy(() -> drawings.of("gryphon", drawings.trainingSets()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("gryphon");
    }

    private static List<Drawing> all() {
        List<String> sets = new ArrayList<>(drawings.trainingSets());
        sets.addAll(drawings.heldOutSets());
        return drawings.categories().stream()
                .flatMap(c -> drawings.of(c.name(), sets).stream())
                .toList();
    }

    private static boolean visibleInRow(Drawing d, int y) {
        return Arrays.stream(d.argb(), y * d.width(), (y + 1) * d.width()).anyMatch(p -> p >>> 24 != 0);
    }

    private static boolean visibleInColumn(Drawing d, int x) {
        for (int y = 0; y < d.height(); y++) {
            if (d.argb()[y * d.width() + x] >>> 24 != 0) return true;
        }
        return false;
    }

    private static String resource(String name) throws IOException {
        try (InputStream in = Drawings.class.getResourceAsStream(name)) {
            assertThat(in).as(name).isNotNull();
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
