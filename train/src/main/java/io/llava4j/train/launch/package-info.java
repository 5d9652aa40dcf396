/** {@code llava launch}: starts the processes (ranks) of one run on one or several nodes, watches them and restarts them. */
@NullMarked
package io.llava4j.train.launch;

import org.jspecify.annotations.NullMarked;
