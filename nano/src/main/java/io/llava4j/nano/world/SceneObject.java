package io.llava4j.nano.world;

import org.jspecify.annotations.Nullable;

/**
 * One drawing in a scene.
 *
 * @param category what it is
 * @param sprite the drawing
 * @param tint the colour it is dyed in; null if it keeps its own colours
 * @param mirrored whether left and right are swapped
 * @param angle clockwise rotation in radians
 * @param anchorX where the drawing's middle lies, as a fraction of the edge
 * @param anchorY where the drawing's middle lies, as a fraction of the edge
 * @param scale edges of the image per pixel of the drawing
 * @param box tight box of what is visible of the object by itself; neighbours cover at most
 *     {@link SceneSampler#MAX_OVERLAP} of it
 */
public record SceneObject(
        Category category,
        Sprite sprite,
        @Nullable NamedColor tint,
        boolean mirrored,
        double angle,
        double anchorX,
        double anchorY,
        double scale,
        Extent box) {
    /** Name of the artist's set the drawing is from. */
    public String set() {
        return sprite.set();
    }
}
