/** Questions about two and three images of the nano world, as training data and as a benchmark. */
@NullMarked
package io.llava4j.nano.several;

import org.jspecify.annotations.NullMarked;
