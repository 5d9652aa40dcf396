package io.llava4j.nano.world;

/**
 * An icon set: the hand of one artist or studio.
 *
 * @param name the set's name, such as "noto"
 * @param heldOut whether its drawings serve tests only
 */
record DrawingSet(String name, boolean heldOut) {}
