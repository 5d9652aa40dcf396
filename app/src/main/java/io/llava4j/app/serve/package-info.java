/** {@code llava serve}: one model for many clients, over the APIs that they already use, and a page to chat with it. */
@NullMarked
package io.llava4j.app.serve;

import org.jspecify.annotations.NullMarked;
