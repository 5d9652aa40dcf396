package io.llava4j.train.run;

import io.llava4j.train.config.Default;
import io.llava4j.train.config.Require;
import io.llava4j.train.run.shard.Sharding;

/**
 * How processes train together; without effect in one process (docs/training-at-scale.md).
 *
 * @param sharding what each process holds a part of: {@code none}; {@code optimizer}, AdamW's moments and the 32-bit values
 *     that it moves; {@code gradients}, their gradients as well; {@code full}, all weights as well
 * @param timeout seconds that a process waits for the others before it names who is missing
 */
public record Distributed(
        @Default("none") Sharding sharding, @Default("600") int timeout) {
    public Distributed {
        Require.positive("timeout", timeout);
    }
}
