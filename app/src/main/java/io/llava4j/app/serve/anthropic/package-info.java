/** Anthropic's API: messages and their tokens. */
@NullMarked
package io.llava4j.app.serve.anthropic;

import org.jspecify.annotations.NullMarked;
