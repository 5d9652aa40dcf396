/** Requests in OpenAI's batch format, as an input of {@code llava batch}. */
@NullMarked
package io.llava4j.app.batch;

import org.jspecify.annotations.NullMarked;
