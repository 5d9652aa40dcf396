package io.llava4j.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.ConfigException;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StopTextTest {
    @Test
    void textThatMayBeginAStopTextIsHeldBack() {
        StopText stop = new StopText(List.of("</s>", "###"));
        assertThat(stop.accept("a <")).isEqualTo("a ");
        assertThat(stop.accept("/")).isEmpty();
        assertThat(stop.accept("b> #")).isEqualTo("</b> ");
        assertThat(stop.matched()).isFalse();
        assertThat(stop.accept("## c")).isEmpty();
        assertThat(stop.matched()).isTrue();
        assertThat(stop.accept("d") + stop.finish()).isEmpty();
    }

    @Test
    void heldBackTextIsPartOfTheAnswerAtItsEnd() {
        StopText stop = new StopText(List.of("USER:"));
        assertThat(stop.accept("the US")).isEqualTo("the ");
        assertThat(stop.finish()).isEqualTo("US");
        assertThat(stop.matched()).isFalse();
    }

    @Test
    void anEmptyStopTextIsRefused() {
        assertThatThrownBy(() -> new GenerationOptions(1, 0, 1, 0, 1, 0, List.of("")))
                .isInstanceOf(ConfigException.class);
    }

    /** With three letters, stop texts are frequent and overlap with themselves and each other. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void theAnswersEndDoesNotDependOnHowItIsChunked(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < 200; round++) {
            String text = word(random, 30);
            List<String> stops = List.of(word(random, 5), word(random, 3), word(random, 6));
            int end = stops.stream()
                    .mapToInt(text::indexOf)
                    .filter(at -> at >= 0)
                    .min()
                    .orElse(text.length());
            StopText stop = new StopText(stops);
            StringBuilder answer = new StringBuilder();
            int from = 0;
            while (from < text.length()) {
                int to = random.nextInt(from + 1, text.length() + 1);
                answer.append(stop.accept(text.substring(from, to)));
                from = to;
            }
            answer.append(stop.finish());
            assertThat(answer.toString()).as("%s in %s", stops, text).isEqualTo(text.substring(0, end));
            assertThat(stop.matched()).isEqualTo(end < text.length());
        }
    }

    private static String word(SplittableRandom random, int longest) {
        StringBuilder word = new StringBuilder();
        for (int length = random.nextInt(longest) + 1; length > 0; length--) {
            word.append((char) ('a' + random.nextInt(3)));
        }
        return word.toString();
    }
}
