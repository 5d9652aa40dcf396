/** What every benchmark's scoring has in common: the files it needs, the score it gives, what it reports. */
@NullMarked
package io.llava4j.eval.score;

import org.jspecify.annotations.NullMarked;
