/** A conversation with a model: its state, its settings and the loop that reads and answers lines. */
@NullMarked
package io.llava4j.app.chat;

import org.jspecify.annotations.NullMarked;
