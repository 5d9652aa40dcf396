/** What every file format translates to: stored tensors, their canonical names and expected shapes, and the layouts of names. */
@NullMarked
package io.llava4j.checkpoint.layout;

import org.jspecify.annotations.NullMarked;
