/** Sequences that the tensor engine decodes: prompts with their images, a prefill, and one further token at a time. */
@NullMarked
package io.llava4j.generate.session;

import org.jspecify.annotations.NullMarked;
