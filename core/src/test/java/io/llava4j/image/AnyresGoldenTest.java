package io.llava4j.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.llava4j.image.tile.FeatureOrder;
import io.llava4j.image.tile.ImageSize;
import io.llava4j.image.tile.PatchMerge;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.image.tile.TileGrid;
import io.llava4j.image.tile.Tiling;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Canvases, tiles and tokens of images as LLaVA's own code has them; all comparisons are exact. */
class AnyresGoldenTest {
    private static final Path GOLDENS = Path.of("../../shared/goldens/llava-next");

    @BeforeAll
    static void needsGoldens() {
        assumeTrue(Files.isDirectory(GOLDENS), "reference data are not here: " + GOLDENS);
    }

    private static JsonNode json(String file) {
        return JsonMapper.builder().build().readTree(GOLDENS.resolve(file).toFile());
    }

    private static ImageSize size(JsonNode pair) {
        return new ImageSize(pair.get(0).asInt(), pair.get(1).asInt());
    }

    private static List<Integer> ints(JsonNode values) {
        return values.valueStream().map(JsonNode::asInt).toList();
    }

    private static List<ImageSize> sizes(JsonNode pairs) {
        return pairs.valueStream().map(AnyresGoldenTest::size).toList();
    }

    @Test
    void everySizeIsLaidOnTheSameCanvasAndKeepsTheSameFeatures() {
        int cases = 0;
        SoftAssertions softly = new SoftAssertions();
        for (JsonNode set : json("geometry.json").get("sets")) {
            int tile = set.get("tile").asInt();
            int cells = set.get("cells_per_side").asInt();
            for (JsonNode expected : set.get("cases")) {
                ImageSize image = size(expected.get("size"));
                TileGrid grid = TileGrid.choose(image, sizes(set.get("pinpoints")), tile);
                TileGrid.Kept kept = grid.kept(cells);
                ImageSize resized = grid.resized();
                FeatureOrder order = grid.order(cells, PatchMerge.SPATIAL_UNPAD);
                String name = set.get("name").asString() + " " + image;
                softly.assertThat(grid.canvas()).as(name).isEqualTo(size(expected.get("best_resolution")));
                softly.assertThat(List.of(grid.across(), grid.down())).as(name).isEqualTo(ints(expected.get("grid")));
                softly.assertThat(List.of(
                                grid.left(), grid.top(), grid.left() + resized.width(), grid.top() + resized.height()))
                        .as(name)
                        .isEqualTo(ints(expected.get("resized_box")));
                softly.assertThat(grid.tiles())
                        .as(name)
                        .isEqualTo(expected.get("tiles").asInt())
                        .isEqualTo(order.views() - 1);
                softly.assertThat(List.of(kept.fromRow(), kept.toRow()))
                        .as(name)
                        .isEqualTo(ints(expected.get("rows")));
                softly.assertThat(List.of(kept.fromColumn(), kept.toColumn()))
                        .as(name)
                        .isEqualTo(ints(expected.get("columns")));
                softly.assertThat(order.tokens(cells * cells))
                        .as(name)
                        .isEqualTo(expected.get("image_tokens").asInt());
                if (expected.has("merged_order")) {
                    softly.assertThat(order.sources())
                            .as(name)
                            .containsExactly(ints(expected.get("merged_order")).stream()
                                    .mapToInt(i -> i)
                                    .toArray());
                }
                cases++;
            }
        }
        softly.assertAll();
        assertThat(cases).isEqualTo(300);
    }

    @Test
    void everyTileIsTheSameToTheBit() throws NoSuchAlgorithmException {
        SoftAssertions softly = new SoftAssertions();
        int tiles = 0;
        for (JsonNode expected : json("preprocess/expected.json").get("images")) {
            String file = expected.get("file").asString();
            RgbImage image =
                    ImageDecoder.decode(GOLDENS.resolve("preprocess/images").resolve(file));
            for (int edge : new int[] {56, 336}) {
                JsonNode anyres = expected.get("anyres_" + edge);
                ImagePreparation preparation = new ImagePreparation(
                        new ImageProcessor(edge, AspectMode.ANYRES),
                        new Tiling(sizes(anyres.get("pinpoints")), PatchMerge.SPATIAL_UNPAD),
                        edge / 14);
                softly.assertThat(sha256(preparation.canvas(image).pixels()))
                        .as(file)
                        .isEqualTo(anyres.get("padded_rgb_hwc_sha256").asString());
                List<RgbImage> views = preparation.views(image);
                for (int i = 0; i < views.size(); i++) {
                    softly.assertThat(sha256(views.get(i).pixels()))
                            .as("%s view %d", file, i)
                            .isEqualTo(anyres.get("tiles_rgb_hwc_sha256").get(i).asString());
                }
                tiles += views.size() - 1;
                PreparedImage prepared = preparation.prepare(image);
                softly.assertThat(prepared.order().views())
                        .as(file)
                        .isEqualTo(anyres.get("tiles_with_base").asInt());
                softly.assertThat(sha256(littleEndian(prepared.pixels())))
                        .as(file)
                        .isEqualTo(anyres.get("pixel_values_nchw_f32le_sha256").asString());
            }
        }
        softly.assertAll();
        assertThat(tiles).isGreaterThan(50);
    }

    private static byte[] littleEndian(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes.array();
    }

    private static String sha256(byte[] bytes) throws NoSuchAlgorithmException {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }
}
