/** OpenAI's API: chat completions, responses, completions, models. */
@NullMarked
package io.llava4j.app.serve.openai;

import org.jspecify.annotations.NullMarked;
