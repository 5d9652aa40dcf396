/** Reads and writes GGUF files. */
@NullMarked
package io.llava4j.checkpoint.gguf;

import org.jspecify.annotations.NullMarked;
