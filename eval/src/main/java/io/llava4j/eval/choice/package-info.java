/** Benchmarks with lettered options: ScienceQA, SEED-Bench, MMBench. */
@NullMarked
package io.llava4j.eval.choice;

import org.jspecify.annotations.NullMarked;
