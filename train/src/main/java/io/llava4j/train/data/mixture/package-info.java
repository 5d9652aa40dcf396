/** From raw annotations to LLaVA's instruction data: the rules of the mixture, its builder, manifest and datasheet. */
@NullMarked
package io.llava4j.train.data.mixture;

import org.jspecify.annotations.NullMarked;
