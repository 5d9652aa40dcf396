/** What is wrong with a data set, found before training finds it; and what is in it. */
@NullMarked
package io.llava4j.train.data.check;

import org.jspecify.annotations.NullMarked;
