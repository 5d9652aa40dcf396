package io.llava4j.train.launch;

import java.util.List;
import java.util.Optional;

/** The ranks of one launcher, as launcher 0 sees them. None of the methods waits. */
interface Node {
    /** Starts the ranks. */
    void start(Attempt attempt);

    /** Asks the ranks to stop at the end of their step, or ends them at once. */
    void stop(boolean now);

    /** The ranks of an attempt; empty if none has been started in it yet. */
    List<RankStatus> ranks(int attempt);

    /** Why the node is gone, if it is. */
    Optional<String> gone();

    /** Whether somebody asked this node's launcher to stop the run. */
    boolean stopRequested();

    /** The run ends. */
    void finish(int code, String sentence);
}
