/** The LLaVA-1.5 network: vision tower, projector, language model, the splice of image tokens, and the KV cache. */
@NullMarked
package io.llava4j.model;

import org.jspecify.annotations.NullMarked;
