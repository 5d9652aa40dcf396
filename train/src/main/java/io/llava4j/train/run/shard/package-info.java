/** What several processes share of a run. */
@NullMarked
package io.llava4j.train.run.shard;

import org.jspecify.annotations.NullMarked;
