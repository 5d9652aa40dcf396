/** What a checkpoint takes: sizes and estimates from its configuration alone. */
@NullMarked
package io.llava4j.app.inspect;

import org.jspecify.annotations.NullMarked;
