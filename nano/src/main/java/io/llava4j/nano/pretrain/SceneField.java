package io.llava4j.nano.pretrain;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one field of a grid over a scene shows, in words.
 *
 * @param thing number of the object, {@link #SIGN} or {@link #BACKGROUND}
 * @param word first word of the object's name ("fire" for a fire truck), the sign's word, or the background's color
 * @param tint color the object is dyed in
 * @param place of the field, such as "top left": a tower's rows tell where they are, too
 */
public record SceneField(int thing, String word, @Nullable String tint, String place) {
    /** In place of an object's number. */
    public static final int SIGN = -1;

    /** In place of an object's number. */
    public static final int BACKGROUND = -2;

    /** All that is told of the field, one to four words. */
    public List<String> words() {
        List<String> words = new ArrayList<>(List.of(word));
        if (tint != null) {
            words.add(tint);
        }
        words.addAll(List.of(place.split(" ")));
        return words;
    }
}
