package io.llava4j.nano.pretrain;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one cell of a grid over a scene shows, in words.
 *
 * @param thing number of the object, {@link #SIGN} or {@link #BACKGROUND}
 * @param word first word of the object's name ("fire" for a fire truck), the sign's word, or the background's color
 * @param tint color the object is dyed in
 * @param place position of the cell, such as "top left": image features encode it, too
 */
public record GridCell(int thing, String word, @Nullable String tint, String place) {
    /** In place of an object's number. */
    public static final int SIGN = -1;

    /** In place of an object's number. */
    public static final int BACKGROUND = -2;

    /** All words of the cell, one to four. */
    public List<String> words() {
        List<String> words = new ArrayList<>(List.of(word));
        if (tint != null) {
            words.add(tint);
        }
        words.addAll(List.of(place.split(" ")));
        return words;
    }
}
