/** Asking a judge: through an OpenAI-compatible endpoint, through files, or a local rule that is named as such. */
@NullMarked
package io.llava4j.eval.transport;

import org.jspecify.annotations.NullMarked;
