/** MME: pairs of yes/no questions about pictures. */
@NullMarked
package io.llava4j.eval.mme;

import org.jspecify.annotations.NullMarked;
