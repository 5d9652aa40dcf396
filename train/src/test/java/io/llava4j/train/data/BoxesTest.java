package io.llava4j.train.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class BoxesTest {
    @Test
    void boxesAreFormattedAsPythonDoes() {
        // str([round(v, 2) for v in (0.125, 0.045, 0.8, 1.0)]) and the same for the second box, in Python 3
        assertThat(Boxes.text(new Box(0.125, 0.045, 0.8, 1))).isEqualTo("[0.12, 0.04, 0.8, 1.0]");
        assertThat(Boxes.text(new Box(0, 0.005, 0.015, 0.995))).isEqualTo("[0.0, 0.01, 0.01, 0.99]");
        assertThat(Boxes.fixedText(new Box(0, 0.5, 0.8, 1))).isEqualTo("[0.00, 0.50, 0.80, 1.00]");
    }

    @Test
    void paddedSquareRoundTripsToPixels() {
        SplittableRandom random = new SplittableRandom(5);
        for (int i = 0; i < 200; i++) {
            int width = random.nextInt(1, 2000);
            int height = random.nextInt(1, 2000);
            double x = random.nextDouble(width);
            double y = random.nextDouble(height);
            Box box = Boxes.onPaddedSquare(width, height, x, y, width - x, height - y);

            assertThat(box.isInside()).isTrue();
            assertThat(Boxes.toPixels(box, width, height))
                    .containsExactly(new double[] {x, y, width, height}, within(1e-9));
        }
    }

    @Test
    void outsideAndUnorderedBoxesAreNotInside() {
        assertThat(new Box(0, 0, 1, 1.01).isInside()).isFalse();
        assertThat(new Box(-0.01, 0, 1, 1).isInside()).isFalse();
        assertThat(new Box(0.6, 0, 0.5, 1).isInside()).isFalse();
        assertThat(new Box(Double.NaN, 0, 0.5, 1).isInside()).isFalse();
        assertThat(Boxes.parse("at [-0.1, 0.2, 1.3, 0.4].")).contains(new Box(-0.1, 0.2, 1.3, 0.4));
        assertThat(Boxes.parse("[1, 2, 3]")).isEmpty();
    }
}
