package io.llava4j.nano.raw;

import io.llava4j.nano.world.SceneOptions;
import java.io.IOException;
import java.util.List;

/** A raw data set of LLaVA's recipe as the nano world writes it: annotation files in the original schema, and images. */
interface RawSource {
    /**
     * What its images show; of several kinds the images take turns.
     *
     * @param usual what images of the nano world show
     */
    default List<SceneOptions> scenes(SceneOptions usual) {
        return List.of(usual);
    }

    /** Whether there is an image to each item. */
    default boolean illustrated() {
        return true;
    }

    /** Writes the annotation files and has the images drawn. */
    void write(SourceImages images) throws IOException;
}
