/** From a prompt and images to an answer: prefill, decode, sampling, batching. */
@NullMarked
package io.llava4j.generate;

import org.jspecify.annotations.NullMarked;
