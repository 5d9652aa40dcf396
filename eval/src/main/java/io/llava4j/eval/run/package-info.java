/** Runs a model on benchmarks: answers in batches and shards, resumable; then judge, scores, submissions and results. */
@NullMarked
package io.llava4j.eval.run;

import org.jspecify.annotations.NullMarked;
