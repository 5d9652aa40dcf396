package io.llava4j.eval.format;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Expected values come from Python 3. */
class PythonNumbersTest {
    @ParameterizedTest
    @CsvSource({
        "1_0, 10",
        "9., 9",
        ".5, 0.5",
        "5e-1, 0.5",
        "+7, 7",
        "\uff10.\uff15, 0.5",
        "'\u00a08\r', 8",
        "nan, NaN",
        "-Infinity, -Infinity",
        "1_0.0_1e1_0, 100100000000"
    })
    void floatReads(String text, double value) {
        assertThat(PythonText.parseFloat(text)).hasValue(value);
    }

    @ParameterizedTest
    @ValueSource(strings = {"9.25.", "8/10", "(9)", "0x1p3", "1f", "1d", "", "_1", "1__0", "1_", ".", "e5", "na n"})
    void floatRefuses(String text) {
        assertThat(PythonText.parseFloat(text)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "0.1, 0.1",
        "100, 100.0",
        "1e16, 1e+16",
        "123456789012345680, 1.2345678901234568e+17",
        "0.0001, 0.0001",
        "0.00001, 1e-05",
        "-2.5e-7, -2.5e-07",
        "1085.7142857142856, 1085.7142857142856",
        "-0.0, -0.0"
    })
    void reprIsPythons(double value, String repr) {
        assertThat(PythonText.repr(value)).isEqualTo(repr);
    }

    @Test
    void roundingKnowsTwoRules() {
        assertThat(PythonText.round(2.675, 2)).isEqualTo(2.67);
        assertThat(PythonText.roundLikeNumpy(2.675, 2)).isEqualTo(2.68);
        assertThat(PythonText.round(Double.NaN, 1)).isNaN();
        assertThat(PythonText.fixed(55.125, 2)).isEqualTo("55.12");
    }

    @Test
    void dumpsWritesFloats() {
        assertThat(PythonJson.dumps(List.of(8.0, -1, Double.NaN, Double.NEGATIVE_INFINITY)))
                .isEqualTo("[8.0, -1, NaN, -Infinity]");
    }

    @Test
    void trailingMarksGo() {
        assertThat(PythonText.stripTrailing("No...", '.')).isEqualTo("No");
        assertThat(PythonText.stripTrailing("...", '.')).isEmpty();
    }
}
