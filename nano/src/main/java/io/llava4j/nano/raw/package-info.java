/** Raw files of every source of the mixture, about nano scenes. */
@NullMarked
package io.llava4j.nano.raw;

import org.jspecify.annotations.NullMarked;
