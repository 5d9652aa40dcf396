/** Files that every benchmark shares: LLaVA's questions and answers, JSON as Python reads and writes it. */
@NullMarked
package io.llava4j.eval.format;

import org.jspecify.annotations.NullMarked;
