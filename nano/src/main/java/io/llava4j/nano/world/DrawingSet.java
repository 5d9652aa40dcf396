package io.llava4j.nano.world;

/**
 * An icon set, drawn by one artist or studio.
 *
 * @param name the set's name, such as "noto"
 * @param heldOut whether its drawings are used in tests only
 */
record DrawingSet(String name, boolean heldOut) {}
