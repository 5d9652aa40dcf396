/** Compares our scorers with recorded results of the official code; only {@code llava verify} and tests use it. */
@NullMarked
package io.llava4j.eval.reference;

import org.jspecify.annotations.NullMarked;
