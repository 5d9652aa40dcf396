/** What a run will take before it starts: memory of each process, floating-point operations and time. */
@NullMarked
package io.llava4j.train.run.feature;

import org.jspecify.annotations.NullMarked;
