/** The nano world: drawings, scenes with exact truth, and the data sets written from them. */
@NullMarked
package io.llava4j.train.nano;

import org.jspecify.annotations.NullMarked;
