/** The benchmarks and what describes one: prompt style, files, questions, scorer, published results. */
@NullMarked
package io.llava4j.eval;

import org.jspecify.annotations.NullMarked;
