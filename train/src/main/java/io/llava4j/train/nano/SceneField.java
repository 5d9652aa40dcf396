package io.llava4j.train.nano;

import org.jspecify.annotations.Nullable;

/**
 * What one field of a grid over a scene shows, in words.
 *
 * @param thing number of the object, {@link #SIGN} or {@link #BACKGROUND}
 * @param word first word of the object's name ("fire" for a fire truck), the sign's word, or the background's color
 * @param tint color the object is dyed in
 */
public record SceneField(int thing, String word, @Nullable String tint) {
    /** In place of an object's number. */
    public static final int SIGN = -1;

    /** In place of an object's number. */
    public static final int BACKGROUND = -2;
}
