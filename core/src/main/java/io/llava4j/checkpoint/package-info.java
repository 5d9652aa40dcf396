/** Weight file formats and configuration files, read and written; knows no engine. */
@NullMarked
package io.llava4j.checkpoint;

import org.jspecify.annotations.NullMarked;
