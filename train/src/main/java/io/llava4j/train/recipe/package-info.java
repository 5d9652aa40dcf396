/** Recipes of LLaVA's two stages, and the training objective that a recipe describes. */
@NullMarked
package io.llava4j.train.recipe;

import org.jspecify.annotations.NullMarked;
