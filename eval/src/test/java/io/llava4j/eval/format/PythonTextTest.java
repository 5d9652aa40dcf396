package io.llava4j.eval.format;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PythonTextTest {
    @Test
    void whiteSpaceIsPythonsSet() {
        assertThat(PythonText.split("\u00A0a\u0085b\u001Cc\u2007d\u200Be\u3000"))
                .containsExactly("a", "b", "c", "d\u200Be");
        assertThat(PythonText.strip("\u2028 x\u2060 \u202F")).isEqualTo("x\u2060");
        assertThat(PythonText.split(" \t ")).isEmpty();
        assertThat(PythonText.splitAtSpaces(" a  b\t")).containsExactly("", "a", "", "b\t");
    }

    @Test
    void digitsAreUnicodeDecimalDigits() {
        assertThat(PythonText.isDigit('٣')).isTrue();
        assertThat(PythonText.isDigit(0x1D7D8)).isTrue();
        assertThat(PythonText.isDigit('²')).isFalse();
    }

    @Test
    void roundsTheBinaryValueTiesToEven() {
        assertThat(PythonText.round(0.125, 2)).isEqualTo(0.12);
        assertThat(PythonText.round(2.675, 2)).isEqualTo(2.67);
        assertThat(PythonText.round(0.045, 2)).isEqualTo(0.04);
        assertThat(PythonText.round(2.5, 0)).isEqualTo(2.0);
    }

    @Test
    void jsonIsWrittenAsPythonWritesIt() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("id", QuestionId.of(7));
        map.put("t", "é\u007f\"\\/\n😀");
        map.put("l", List.of(QuestionId.of("v7"), true, 1L));
        assertThat(PythonJson.dumps(map))
                .isEqualTo(
                        "{\"id\": 7, \"t\": \"\\u00e9\\u007f\\\"\\\\/\\n\\ud83d\\ude00\", \"l\": [\"v7\", true, 1]}");
    }
}
