/** What long work needs of the terminal it runs in: progress and the wish to stop. */
@NullMarked
package io.llava4j.app.terminal;

import org.jspecify.annotations.NullMarked;
