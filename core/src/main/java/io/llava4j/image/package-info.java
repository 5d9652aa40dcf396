/** From image bytes to normalised pixels; knows no engine and no model. */
@NullMarked
package io.llava4j.image;

import org.jspecify.annotations.NullMarked;
