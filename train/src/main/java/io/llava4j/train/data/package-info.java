/** Instruction data from files to batches: records, samplers and the data loader. */
@NullMarked
package io.llava4j.train.data;

import org.jspecify.annotations.NullMarked;
