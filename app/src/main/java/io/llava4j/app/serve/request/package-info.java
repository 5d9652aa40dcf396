/** From the requests of all APIs to the model and back: conversations, images, decoding options, the stream of an answer. */
@NullMarked
package io.llava4j.app.serve.request;

import org.jspecify.annotations.NullMarked;
