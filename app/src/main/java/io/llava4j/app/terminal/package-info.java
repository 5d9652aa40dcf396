/** What long tasks need from the terminal: progress and a request to stop. */
@NullMarked
package io.llava4j.app.terminal;

import org.jspecify.annotations.NullMarked;
