/** GQA: questions with programs, and its many-sided metric. */
@NullMarked
package io.llava4j.eval.gqa;

import org.jspecify.annotations.NullMarked;
