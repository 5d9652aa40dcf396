/** POPE: object hallucination asked as yes/no questions; building, parsing, scoring. */
@NullMarked
package io.llava4j.eval.pope;

import org.jspecify.annotations.NullMarked;
