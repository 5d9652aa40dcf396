package io.llava4j.image.tile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TileGridTest {
    private static final List<ImageSize> CANVASES = List.of(
            new ImageSize(336, 672),
            new ImageSize(672, 336),
            new ImageSize(672, 672),
            new ImageSize(1008, 336),
            new ImageSize(336, 1008));

    @ParameterizedTest
    @CsvSource({"1000,500,672,336", "500,1000,336,672", "800,800,672,672", "640,480,672,672", "300,25,336,672"})
    void theCanvasThatKeepsMostWins(int width, int height, int canvasWidth, int canvasHeight) {
        assertThat(grid(width, height).canvas()).isEqualTo(new ImageSize(canvasWidth, canvasHeight));
    }

    @ParameterizedTest
    @CsvSource({"640,480,2340", "1024,899,2634"})
    void tokensAreThoseThatPublishedCodeNames(int width, int height, int tokens) {
        assertThat(grid(width, height).order(24, PatchMerge.SPATIAL_UNPAD).tokens(576))
                .isEqualTo(tokens);
    }

    /** Truncated doubles drop a cell on both sides, as in the code that the checkpoints were published with. */
    @Test
    void anEdgeThatFallsExactlyOnACellMayLoseIt() {
        TileGrid.Kept kept = grid(984, 205).kept(24);
        assertThat(List.of(kept.fromRow(), kept.toRow())).containsExactly(5, 19);
    }

    @Test
    void tokensAreTheWholeImageThenRowsThatEnd() {
        FeatureOrder order =
                new TileGrid(new ImageSize(4, 2), new ImageSize(4, 2), 2).order(2, PatchMerge.SPATIAL_UNPAD);
        assertThat(order.views()).isEqualTo(3);
        assertThat(order.sources()).containsExactly(0, 1, 2, 3, 4, 5, 8, 9, -1, 6, 7, 10, 11, -1);
        float[] features = new float[12];
        for (int i = 0; i < features.length; i++) {
            features[i] = i;
        }
        assertThat(order.arrange(features, 1, new float[] {-7}))
                .containsExactly(0, 1, 2, 3, 4, 5, 8, 9, -7, 6, 7, 10, 11, -7);
    }

    @Test
    void tilesOfOtherMergeTypesKeepTheirPaddingAndRowsHaveNoEnd() {
        TileGrid grid = new TileGrid(new ImageSize(4, 1), new ImageSize(4, 2), 2);
        assertThat(grid.order(2, PatchMerge.FLAT).sources()).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
        assertThat(grid.order(2, PatchMerge.SPATIAL).sources()).containsExactly(0, 1, 2, 3, 4, 5, 8, 9, 6, 7, 10, 11);
        assertThat(grid.order(2, PatchMerge.SPATIAL).arrange(new float[24], 2, new float[0]))
                .hasSize(24);
    }

    @Test
    void anUndividedImageHasOneRowEnd() {
        FeatureOrder order = FeatureOrder.oneViewWithRowEnd(2);
        assertThat(order.arrange(new float[] {1, 2, 3, 4}, 2, new float[] {8, 9}))
                .containsExactly(1, 2, 3, 4, 8, 9);
        assertThat(order.tokens(2)).isEqualTo(3);
        assertThat(FeatureOrder.ONE_VIEW.tokens(2)).isEqualTo(2);
    }

    @Test
    void aCanvasConsistsOfWholeTiles() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new TileGrid(new ImageSize(5, 5), new ImageSize(500, 336), 336))
                .withMessageContaining("500 x 336");
    }

    private static TileGrid grid(int width, int height) {
        return TileGrid.choose(new ImageSize(width, height), CANVASES, 336);
    }
}
