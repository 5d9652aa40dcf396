package io.llava4j.nano.world;

/**
 * A board with one word on it, the nano world's text source.
 *
 * @param word upper-case letters, as they are drawn
 * @param box of the whole board
 * @param lightOnDark whether the letters are light on a dark board
 */
public record Sign(String word, Extent box, boolean lightOnDark) {}
