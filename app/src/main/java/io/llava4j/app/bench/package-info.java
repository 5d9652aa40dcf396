/** Measurements: medians and ratios against a named baseline in the same run. */
@NullMarked
package io.llava4j.app.bench;

import org.jspecify.annotations.NullMarked;
