package io.llava4j.nano.raw;

import io.llava4j.nano.world.SceneOptions;
import java.io.IOException;
import java.util.List;

/** A raw data set of LLaVA's recipe as the nano world writes it: annotation files in the original schema, and pictures. */
interface RawSource {
    /**
     * What its pictures show; of several kinds the pictures take turns.
     *
     * @param usual what pictures of the nano world show
     */
    default List<SceneOptions> scenes(SceneOptions usual) {
        return List.of(usual);
    }

    /** Whether there is a picture to each item. */
    default boolean illustrated() {
        return true;
    }

    /** Writes the annotation files and has the pictures drawn. */
    void write(SourceImages pictures) throws IOException;
}
