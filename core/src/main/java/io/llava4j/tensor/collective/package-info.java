/** Processes that train together: who they are, how they find each other, and what they exchange. */
@NullMarked
package io.llava4j.tensor.collective;

import org.jspecify.annotations.NullMarked;
