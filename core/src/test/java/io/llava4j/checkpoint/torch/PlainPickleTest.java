package io.llava4j.checkpoint.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.DataException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Pickles written by Python's own module, in the shape of RefCOCO's {@code refs(unc).p}. */
class PlainPickleTest {
    private static final String PROTOCOL_0 =
            "KGxwMAooZHAxClZyZWZfaWQKcDIKSTAKc1ZzcGxpdApwMwpWdHJhaW4KcDQKc1ZiYm94CnA1CihGMS41CkktMgpMMT"
                    + "IzNDU2Nzg5MDEyTAp0cDYKc1Z5ZXMKcDcKSTAxCnNWc2VudGVuY2VzCnA4CihscDkKKGRwMTAKVnNlbnQKcDExClZu"
                    + "Ye92ZSAibWFuJ3MiIGhhdFx1MDAwYVx1MDA1YyBcdTczMmIgXFUwMDAxZjYwMApwMTIKc1Z0b2tlbnMKcDEzCihscD"
                    + "E0ClZ0aGUKcDE1CmFWbWFuCnAxNgphc2EoZHAxNwpnMTEKZzE1CnNnMTMKKGxwMTgKc2FzYS4=";
    private static final String PROTOCOL_2 =
            "gAJdcQB9cQEoWAYAAAByZWZfaWRxAksAWAUAAABzcGxpdHEDWAUAAAB0cmFpbnEEWAQAAABiYm94cQVHP/gAAAAAAA"
                    + "BK/v///4oFFBqZvhyHcQZYAwAAAHllc3EHiFgJAAAAc2VudGVuY2VzcQhdcQkofXEKKFgEAAAAc2VudHELWB0AAABu"
                    + "YcOvdmUgIm1hbidzIiBoYXQKXCDnjKsg8J+YgHEMWAYAAAB0b2tlbnNxDV1xDihYAwAAAHRoZXEPWAMAAABtYW5xEG"
                    + "V1fXERKGgLaA9oDV1xEnVldWEu";
    private static final String PROTOCOL_4 =
            "gASVqAAAAAAAAABdlH2UKIwGcmVmX2lklEsAjAVzcGxpdJSMBXRyYWlulIwEYmJveJRHP/gAAAAAAABK/v///4oFFB"
                    + "qZvhyHlIwDeWVzlIiMCXNlbnRlbmNlc5RdlCh9lCiMBHNlbnSUjB1uYcOvdmUgIm1hbidzIiBoYXQKXCDnjKsg8J+Y"
                    + "gJSMBnRva2Vuc5RdlCiMA3RoZZSMA21hbpRldX2UKGgLaA9oDV2UdWV1YS4=";

    @TempDir
    Path dir;

    @ParameterizedTest
    @ValueSource(strings = {PROTOCOL_0, PROTOCOL_2, PROTOCOL_4})
    void everyProtocolGivesTheSame(String pickle) throws IOException {
        assertThat(read(Base64.getDecoder().decode(pickle)))
                .isEqualTo(List.of(Map.of(
                        "ref_id",
                        0L,
                        "split",
                        "train",
                        "bbox",
                        List.of(1.5, -2L, 123456789012L),
                        "yes",
                        true,
                        "sentences",
                        List.of(
                                Map.of("sent", "naïve \"man's\" hat\n\\ 猫 😀", "tokens", List.of("the", "man")),
                                Map.of("sent", "the", "tokens", List.of())))));
    }

    /** What Python 2 wrote: byte strings and long integers. */
    @Test
    void python2StringsAreRead() throws IOException {
        assertThat(text("(lp0\n(dp1\nS'sent'\np2\nS'caf\\xc3\\xa9 \"n\\'ew\"\\n'\np3\nsS'id'\np4\nL12L\nsa."))
                .isEqualTo(List.of(Map.of("sent", "café \"n'ew\"\n", "id", 12L)));
        assertThat(text("S'\\xe9'\n.")).isEqualTo("é");
    }

    @Test
    void codeIsRefusedByName() {
        assertThatThrownBy(() -> text("cos\nsystem\n(S'true'\ntR."))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("os.system")
                .hasMessageContaining("export it as JSON");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "(",
                "l.",
                "(lp0\nS'a",
                "S'a\n.",
                "S'\\xz0'\n.",
                "V\\u12\n.",
                "I12x\n.",
                "L99999999999999999999L\n.",
                "g5\n.",
                "Fx\n.",
                "(S'a'\nd.",
                "(I1\nI2\nd.",
                "T\u0001\u0000\u0000\u0001ab.",
                "i",
                "?"
            })
    void damageIsOneSentence(String pickle) {
        assertThatThrownBy(() -> text(pickle)).isInstanceOf(DataException.class).hasMessageContaining("refs.p");
    }

    /** Reading ends, though nobody could print what was read. */
    @Test
    void aListThatContainsItselfIsRead() throws IOException {
        assertThat(((List<?>) text("(lp0\ng0\na.")).size()).isEqualTo(1);
    }

    private Object text(String pickle) throws IOException {
        return read(pickle.getBytes(StandardCharsets.ISO_8859_1));
    }

    private Object read(byte[] pickle) throws IOException {
        Path file = dir.resolve("refs.p");
        Files.write(file, pickle);
        return PlainPickle.read(file);
    }
}
