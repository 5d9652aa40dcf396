/** What an evaluation found, as JSON, charts and a self-contained page. */
@NullMarked
package io.llava4j.eval.report;

import org.jspecify.annotations.NullMarked;
