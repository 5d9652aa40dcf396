package io.llava4j.nano.raw;

import io.llava4j.nano.world.SceneOptions;
import java.io.IOException;
import java.util.List;

/** Writes a raw data set of LLaVA's recipe about nano scenes: annotation files in the original schema, and images. */
interface RawSource {
    /**
     * Options of its scenes; several options are used in turn.
     *
     * @param usual options of the nano world's scenes
     */
    default List<SceneOptions> scenes(SceneOptions usual) {
        return List.of(usual);
    }

    /** Whether its items have images. */
    default boolean illustrated() {
        return true;
    }

    /** Writes the annotation files and queues the images for drawing. */
    void write(SourceImages images) throws IOException;
}
