/** Answers to all records of a file, on one machine or in shards on several. */
@NullMarked
package io.llava4j.train.batch;

import org.jspecify.annotations.NullMarked;
