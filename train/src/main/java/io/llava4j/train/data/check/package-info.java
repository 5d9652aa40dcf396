/** Checks and statistics of data sets, before training. */
@NullMarked
package io.llava4j.train.data.check;

import org.jspecify.annotations.NullMarked;
