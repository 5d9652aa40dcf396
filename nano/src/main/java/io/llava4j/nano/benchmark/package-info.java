/** The twelve benchmarks about nano scenes, in their official files. */
@NullMarked
package io.llava4j.nano.benchmark;

import org.jspecify.annotations.NullMarked;
