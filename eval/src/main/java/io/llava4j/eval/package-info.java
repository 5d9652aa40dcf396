/** Benchmarks, their official scorers, and reports. */
@NullMarked
package io.llava4j.eval;

import org.jspecify.annotations.NullMarked;
