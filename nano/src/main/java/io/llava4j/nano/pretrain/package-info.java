/** Pre-training of the nano vision tower and language model. */
@NullMarked
package io.llava4j.nano.pretrain;

import org.jspecify.annotations.NullMarked;
