/** Image features of a frozen tower that a trained model can do without (VisionZip), and the questions that need them all; no engine. */
@NullMarked
package io.llava4j.model.prune;

import org.jspecify.annotations.NullMarked;
