/** Reads and writes safetensors files. */
@NullMarked
package io.llava4j.checkpoint.safetensors;

import org.jspecify.annotations.NullMarked;
