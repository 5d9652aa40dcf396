package io.llava4j.nano.pretrain;

import java.util.List;

/** A part of a curriculum. */
interface Phase {
    /** Optimiser steps that it lasts. */
    int steps();

    /**
     * The phase of a step; the last one never ends.
     *
     * @param curriculum phases in order
     * @param step from 0
     * @param otherwise the phase where the curriculum is empty
     */
    static <P extends Phase> P at(List<P> curriculum, int step, P otherwise) {
        int end = 0;
        P last = otherwise;
        for (P phase : curriculum) {
            end += phase.steps();
            last = phase;
            if (step < end) {
                break;
            }
        }
        return last;
    }
}
