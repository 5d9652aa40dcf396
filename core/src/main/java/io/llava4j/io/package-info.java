/** Files: atomic writes, strict JSON, errors in one sentence, scratch memory. Knows no model and no engine. */
@NullMarked
package io.llava4j.io;

import org.jspecify.annotations.NullMarked;
