package io.llava4j.app.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class FidelityBenchTest {
    @Test
    void equalLogitsDifferInNothing() {
        List<float[]> logits = List.of(new float[] {1, 2, 3, 0, 0, -1}, new float[] {5, 4, 5});
        assertThat(FidelityBench.difference(logits, logits, 3)).isEqualTo(new FidelityBench.Difference(0, 1, 0, 3));
    }

    /** p = (1/2, 1/2), q = (1/4, 3/4): KL = 1/2 ln 2 + 1/2 ln (2/3). */
    @Test
    void divergenceIsThatOfTheDistributions() {
        FidelityBench.Difference difference =
                FidelityBench.difference(List.of(new float[] {7, 7}), List.of(new float[] {0, (float) Math.log(3)}), 2);
        assertThat(difference.divergence()).isCloseTo(0.5 * Math.log(2) + 0.5 * Math.log(2.0 / 3), within(1e-7));
        assertThat(difference.agreement()).isZero();
        assertThat(difference.largest()).isCloseTo(7, within(1e-6));
    }

    /** (3, 4) and (4, 3) have a cosine of 24/25; the other token is twice as long. */
    @Test
    void imageTokensAreComparedByLengthAndDirection() {
        FidelityBench.ImageDifference difference =
                FidelityBench.imageDifference(List.of(new float[] {3, 4, 0, 1}), List.of(new float[] {4, 3, 0, 2}), 2);
        assertThat(difference.relative()).isCloseTo(Math.sqrt(3.0 / 26), within(1e-9));
        assertThat(difference.cosine()).isCloseTo(0.98, within(1e-9));
        assertThat(difference.leastCosine()).isCloseTo(0.96, within(1e-9));
    }
}
