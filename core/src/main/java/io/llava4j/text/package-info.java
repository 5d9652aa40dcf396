/** Turns conversations into token ids, labels and image positions. Depends on neither engine nor model. */
@NullMarked
package io.llava4j.text;

import org.jspecify.annotations.NullMarked;
