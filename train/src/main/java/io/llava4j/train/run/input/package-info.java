/** What a run depends on, as fingerprints: its settings, data, images, weights and tokenizer. */
@NullMarked
package io.llava4j.train.run.input;

import org.jspecify.annotations.NullMarked;
