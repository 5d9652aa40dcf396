/** Runs a model on benchmarks: questions, answers, judges, scores, submissions, results. */
@NullMarked
package io.llava4j.eval.run;

import org.jspecify.annotations.NullMarked;
