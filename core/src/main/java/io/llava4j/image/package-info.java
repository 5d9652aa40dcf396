/** Turns image files into normalised pixels. Depends on neither engine nor model. */
@NullMarked
package io.llava4j.image;

import org.jspecify.annotations.NullMarked;
