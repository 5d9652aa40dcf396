/** Running a recipe: trainer, checkpoints, metrics. */
@NullMarked
package io.llava4j.train.run;

import org.jspecify.annotations.NullMarked;
