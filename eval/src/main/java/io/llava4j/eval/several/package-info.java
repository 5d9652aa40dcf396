/** Benchmarks about several images: NLVR2 and those of the nano world. */
@NullMarked
package io.llava4j.eval.several;

import org.jspecify.annotations.NullMarked;
