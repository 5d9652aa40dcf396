/** Texts about scenes: captions, questions, conversations. */
@NullMarked
package io.llava4j.nano.text;

import org.jspecify.annotations.NullMarked;
