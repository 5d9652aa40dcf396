/**
 * The language model and the blocks of the vision tower on the CPU kernels: weights as their file stores them, keys and
 * values in pages.
 */
@NullMarked
package io.llava4j.model.cpu;

import org.jspecify.annotations.NullMarked;
