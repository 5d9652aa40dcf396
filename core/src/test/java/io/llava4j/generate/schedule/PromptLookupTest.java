package io.llava4j.generate.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PromptLookupTest {
    private final PromptLookup lookup = new PromptLookup(4);

    @BeforeEach
    void guessRight() {
        lookup.learn(3, 3);
    }

    @Test
    void theFirstGuessIsShort() {
        assertThat(new PromptLookup(16).guess(new long[] {5, 5, 5, 5}, 100)).containsExactly(5, 5, 5);
        assertThat(new PromptLookup(2).guess(new long[] {5, 5, 5, 5}, 100)).containsExactly(5, 5);
    }

    @Test
    void theLastOccurrenceOfTheLongestEndIsContinued() {
        long[] keys = {7, 1, 2, 3, 10, 11, 12, 13, 1, 2, 3, 20, 21, 22, 23, 24, 8, 2, 3, 30, 5, 1, 2, 3};
        assertThat(lookup.guess(keys, 100)).containsExactly(20, 21, 22, 23);
        assertThat(lookup.guess(keys, 2)).containsExactly(20, 21);
        assertThat(lookup.guess(keys, 0)).isEmpty();
        long[] onlyTwo = {7, 2, 3, 30, 31, 9, 2, 3};
        assertThat(lookup.guess(onlyTwo, 100)).containsExactly(30, 31, 9, 2);
    }

    @Test
    void aLoopGoesOn() {
        assertThat(lookup.guess(new long[] {9, 5, 6, 5, 6, 5}, 100)).containsExactly(6, 5, 6, 5);
        assertThat(lookup.guess(new long[] {9, 5, 5, 5}, 100)).containsExactly(5, 5, 5, 5);
    }

    /** Image tokens may come before a guess but are never part of it. */
    @Test
    void imageTokensAreNotGuessed() {
        assertThat(lookup.guess(new long[] {1, -3, -4, 5, 6, -7, -8, 1, -3, -4}, 100))
                .containsExactly(5, 6);
        assertThat(lookup.guess(new long[] {1, 2, 3, -4, 1, 2, 3}, 100)).isEmpty();
    }

    @Test
    void nothingIsGuessedWithoutAnOccurrence() {
        assertThat(lookup.guess(new long[] {}, 100)).isEmpty();
        assertThat(lookup.guess(new long[] {1}, 100)).isEmpty();
        assertThat(lookup.guess(new long[] {1, 2, 3, 4, 2}, 100)).isEmpty();
        assertThat(new PromptLookup(0).guess(new long[] {5, 5, 5, 5}, 100)).isEmpty();
    }

    @Test
    void wrongGuessesMakeTheNextOnesShorter() {
        long[] keys = {1, 2, 3, 4, 5, 6, 7, 1, 2, 3};
        lookup.learn(4, 0);
        assertThat(lookup.guess(keys, 100)).containsExactly(4);
        lookup.learn(1, 1);
        assertThat(lookup.guess(keys, 100)).containsExactly(4, 5);
        lookup.learn(2, 2);
        lookup.learn(4, 4);
        assertThat(lookup.guess(keys, 100)).containsExactly(4, 5, 6, 7);
        lookup.learn(4, 3);
        assertThat(lookup.guess(keys, 100)).containsExactly(4, 5, 6);
        lookup.learn(0, 0);
        assertThat(lookup.guess(keys, 100)).containsExactly(4, 5, 6);
    }
}
