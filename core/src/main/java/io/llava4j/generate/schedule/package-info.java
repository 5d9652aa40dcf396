/** Continuous batching: who is decoded next to whom, and what is kept for later prompts. */
@NullMarked
package io.llava4j.generate.schedule;

import org.jspecify.annotations.NullMarked;
