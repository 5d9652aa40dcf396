/** The paper's tests of answer formats that were never supervised: unanswerable questions and JSON. */
@NullMarked
package io.llava4j.eval.shape;

import org.jspecify.annotations.NullMarked;
