/** Drawings and scenes with exact ground truth. */
@NullMarked
package io.llava4j.nano.world;

import org.jspecify.annotations.NullMarked;
