/** What every file format is translated to: stored tensors under canonical names, their expected shapes, and the layouts that spell them differently. */
@NullMarked
package io.llava4j.checkpoint.layout;

import org.jspecify.annotations.NullMarked;
