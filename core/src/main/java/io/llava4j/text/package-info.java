/** From conversations to token ids, labels and image positions; knows no engine and no model. */
@NullMarked
package io.llava4j.text;

import org.jspecify.annotations.NullMarked;
