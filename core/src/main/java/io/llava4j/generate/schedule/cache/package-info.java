/** What requests have in common and need not compute again: image tokens, keys and values; the oldest leave first. */
@NullMarked
package io.llava4j.generate.schedule.cache;

import org.jspecify.annotations.NullMarked;
