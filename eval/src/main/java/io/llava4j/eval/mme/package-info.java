/** MME: pairs of yes/no questions about images. */
@NullMarked
package io.llava4j.eval.mme;

import org.jspecify.annotations.NullMarked;
