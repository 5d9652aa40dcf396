/** One class per verb of the llava command. */
@NullMarked
package io.llava4j.app.cli;

import org.jspecify.annotations.NullMarked;
