/** Ladders of training runs that differ in a few keys, and what the differences are worth. */
@NullMarked
package io.llava4j.app.ablate;

import org.jspecify.annotations.NullMarked;
