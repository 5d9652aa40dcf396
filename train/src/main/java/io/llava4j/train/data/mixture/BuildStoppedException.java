package io.llava4j.train.data.mixture;

import io.llava4j.LlavaException;

/** Thrown to end the reading of a source; what was built of it so far is dropped. */
final class BuildStoppedException extends LlavaException {
    BuildStoppedException() {
        super("the build was stopped; the same command resumes with the sources that are not finished");
    }
}
