/** Reads, converts and writes whole models: weight files of any format with their configuration. Depends on no engine. */
@NullMarked
package io.llava4j.checkpoint;

import org.jspecify.annotations.NullMarked;
