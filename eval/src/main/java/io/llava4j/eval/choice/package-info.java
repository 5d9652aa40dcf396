/** Benchmarks with lettered options: ScienceQA, SEED-Bench, MMBench, MMStar, AI2D, RealWorldQA. */
@NullMarked
package io.llava4j.eval.choice;

import org.jspecify.annotations.NullMarked;
