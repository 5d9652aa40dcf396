package io.llava4j.eval.statistics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class StatisticsTest {
    /** Of the binomial distribution: 2 (1 + 10) / 2^10, and so on. */
    @Test
    void mcNemarIsTheExactBinomialTest() {
        assertThat(PairedComparison.mcNemar(1, 9)).isCloseTo(22 / 1024.0, within(1e-12));
        assertThat(PairedComparison.mcNemar(9, 1)).isCloseTo(22 / 1024.0, within(1e-12));
        assertThat(PairedComparison.mcNemar(0, 6)).isCloseTo(2 / 64.0, within(1e-12));
        assertThat(PairedComparison.mcNemar(5, 5)).isEqualTo(1);
        assertThat(PairedComparison.mcNemar(0, 0)).isEqualTo(1);
        // The normal approximation with continuity correction gives 0.0098 here.
        assertThat(PairedComparison.mcNemar(1200, 1330)).isCloseTo(0.0103, within(3e-4));
    }

    @Test
    void bootstrapIntervalIsAsWideAsTheNormalOne() {
        double[] values = new double[400];
        Arrays.fill(values, 0, 200, 1);
        Bootstrap.Interval interval = Bootstrap.mean(values, 7);
        assertThat(interval.mean()).isEqualTo(0.5);
        assertThat(interval.low()).isCloseTo(0.451, within(0.005));
        assertThat(interval.high()).isCloseTo(0.549, within(0.005));
        assertThat(Bootstrap.mean(values, 7)).isEqualTo(interval);
        assertThat(Bootstrap.mean(new double[] {0.3, 0.3}, 1)).satisfies(one -> {
            assertThat(one.low()).isCloseTo(0.3, within(1e-12));
            assertThat(one.high()).isCloseTo(0.3, within(1e-12));
        });
    }

    /** With one run it is the bootstrap of its questions; runs that differ make it wider; tasks count alike, whatever their size. */
    @Test
    void intervalsOverRunsKnowHowMuchRunsDiffer() {
        double[] half = new double[400];
        Arrays.fill(half, 0, 200, 1);
        Bootstrap.Interval one = Bootstrap.meanOverRuns(List.<double[][]>of(new double[][] {half}), 7);
        assertThat(one.low()).isCloseTo(0.451, within(0.005));
        assertThat(one.high()).isCloseTo(0.549, within(0.005));
        Bootstrap.Interval equal = Bootstrap.meanOverRuns(List.<double[][]>of(new double[][] {half, half, half}), 7);
        assertThat(equal.high() - equal.low()).isCloseTo(one.high() - one.low(), within(0.01));

        double[] none = new double[400];
        double[] all = new double[400];
        Arrays.fill(all, 1);
        Bootstrap.Interval apart = Bootstrap.meanOverRuns(List.<double[][]>of(new double[][] {none, half, all}), 7);
        assertThat(apart.mean()).isEqualTo(0.5);
        // All three draws of the worst or of the best run: 1 of 27 each.
        assertThat(apart.low()).isLessThan(0.05);
        assertThat(apart.high()).isGreaterThan(0.95);

        Bootstrap.Interval tasks = Bootstrap.meanOverRuns(List.of(new double[][] {all}, new double[][] {{0, 0}}), 7);
        assertThat(tasks.mean()).isEqualTo(0.5);
        assertThat(tasks.low()).isEqualTo(0.5);
        assertThat(tasks.high()).isEqualTo(0.5);
    }

    @Test
    void pairingTellsASmallGainFromNoise() {
        Map<String, Double> before = new HashMap<>();
        Map<String, Double> after = new HashMap<>();
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < 1000; i++) {
            double right = random.nextInt(2);
            before.put("q" + i, right);
            after.put("q" + i, i % 50 == 0 ? 1.0 : right);
        }
        after.put("elsewhere", 1.0);
        PairedComparison gain = PairedComparison.of(before, after);
        assertThat(gain.questions()).isEqualTo(1000);
        assertThat(gain.onlyFirst()).isZero();
        assertThat(gain.onlySecond()).isBetween(4, 16);
        assertThat(gain.difference().mean()).isCloseTo(gain.onlySecond() / 1000.0, within(1e-12));
        assertThat(gain.significant()).isEqualTo(gain.mcNemar().orElseThrow() <= 0.05);
        assertThat(PairedComparison.of(before, before).significant()).isFalse();
        assertThat(PairedComparison.of(Map.of("a", 0.3), Map.of("a", 0.6)).mcNemar())
                .isEmpty();
        assertThatThrownBy(() -> PairedComparison.of(Map.of("a", 1.0), Map.of("b", 1.0)))
                .hasMessageContaining("no question in common");
    }
}
