/** Files about a run in the formats of other programs. */
@NullMarked
package io.llava4j.train.run.log;

import org.jspecify.annotations.NullMarked;
