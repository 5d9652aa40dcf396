/** The errors every part of llava4j reports with. */
@NullMarked
package io.llava4j;

import org.jspecify.annotations.NullMarked;
