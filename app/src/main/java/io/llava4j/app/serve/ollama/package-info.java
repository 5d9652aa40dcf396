/** Ollama's API: chat, generate, tags, show, version. */
@NullMarked
package io.llava4j.app.serve.ollama;

import org.jspecify.annotations.NullMarked;
