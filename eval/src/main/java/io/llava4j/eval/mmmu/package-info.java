/** MMMU: questions of thirty subjects at college level, some with several images, some without options. */
@NullMarked
package io.llava4j.eval.mmmu;

import org.jspecify.annotations.NullMarked;
