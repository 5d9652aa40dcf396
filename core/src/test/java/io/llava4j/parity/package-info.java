/** The network in plain double-precision loops, and what it computes for a tiny model: the numbers to agree with. */
@NullMarked
package io.llava4j.parity;

import org.jspecify.annotations.NullMarked;
