/** How far a number can be trusted, and whether two runs differ by more than chance. */
@NullMarked
package io.llava4j.eval.statistics;

import org.jspecify.annotations.NullMarked;
