/** Reads and writes torch .bin files with a restricted unpickler. */
@NullMarked
package io.llava4j.checkpoint.torch;

import org.jspecify.annotations.NullMarked;
