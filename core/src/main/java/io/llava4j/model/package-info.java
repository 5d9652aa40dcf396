/** The LLaVA-1.5 network: vision tower, projector, decoder, image splice and KV cache. */
@NullMarked
package io.llava4j.model;

import org.jspecify.annotations.NullMarked;
