/** What to train and how: typed recipes, trainable parts, learning-rate schedule. */
@NullMarked
package io.llava4j.train.recipe;

import org.jspecify.annotations.NullMarked;
