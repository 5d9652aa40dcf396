/** Answers to all records of a file: {@code llava batch}, on one machine or in shards on several. */
@NullMarked
package io.llava4j.app.batch;

import org.jspecify.annotations.NullMarked;
