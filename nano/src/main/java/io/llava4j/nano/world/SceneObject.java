package io.llava4j.nano.world;

import org.jspecify.annotations.Nullable;

/**
 * One drawing in a scene.
 *
 * @param category of the object
 * @param sprite the drawing
 * @param tint the colour it is tinted in; null if it keeps its own colours
 * @param mirrored whether left and right are swapped
 * @param angle clockwise rotation in radians
 * @param anchorX horizontal centre of the drawing as a fraction of the edge
 * @param anchorY vertical centre of the drawing as a fraction of the edge
 * @param scale edges of the image per pixel of the drawing
 * @param box tight box of the object without its neighbours, which cover at most
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
    /** Name of the icon set of the drawing. */
    public String set() {
        return sprite.set();
    }
}
