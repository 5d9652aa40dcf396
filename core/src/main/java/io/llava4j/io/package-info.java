/** Atomic writes, strict JSON, file errors in one sentence, scratch memory, progress. Depends on neither model nor engine. */
@NullMarked
package io.llava4j.io;

import org.jspecify.annotations.NullMarked;
