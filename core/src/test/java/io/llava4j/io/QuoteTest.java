package io.llava4j.io;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class QuoteTest {
    @Test
    void aValueIsQuotedOnOneLineAndShort() {
        assertThat(Quote.of("a.jpg")).isEqualTo("'a.jpg'");
        assertThat(Quote.of("a\nb\u001b[31m")).isEqualTo("'a b [31m'");
        assertThat(Quote.of("x".repeat(80))).isEqualTo("'" + "x".repeat(80) + "'");
        assertThat(Quote.of("x".repeat(123_456))).isEqualTo("'" + "x".repeat(80) + "…' (123,456 characters)");
        assertThat(Quote.of("\uD83D\uDE00".repeat(81)))
                .isEqualTo("'" + "\uD83D\uDE00".repeat(80) + "…' (81 characters)");
    }
}
