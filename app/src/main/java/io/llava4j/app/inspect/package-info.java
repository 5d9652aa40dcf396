/** Memory estimates from the configuration of a checkpoint. */
@NullMarked
package io.llava4j.app.inspect;

import org.jspecify.annotations.NullMarked;
