/** NLVR2: is a sentence about two images true? */
@NullMarked
package io.llava4j.eval.nlvr;

import org.jspecify.annotations.NullMarked;
