/** Benchmarks graded by a judge: what it is asked and what its replies come to. Who asks it is another matter. */
@NullMarked
package io.llava4j.eval.judge;

import org.jspecify.annotations.NullMarked;
