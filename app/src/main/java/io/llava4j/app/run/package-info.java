/** What a run's folder holds. */
@NullMarked
package io.llava4j.app.run;

import org.jspecify.annotations.NullMarked;
