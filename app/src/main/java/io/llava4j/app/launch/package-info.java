/** What {@code llava launch} needs besides the launcher itself: the command of a rank, and where its output goes. */
@NullMarked
package io.llava4j.app.launch;

import org.jspecify.annotations.NullMarked;
