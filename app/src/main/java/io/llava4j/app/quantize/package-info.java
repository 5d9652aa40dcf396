/** What quantisation learns from prompts. */
@NullMarked
package io.llava4j.app.quantize;

import org.jspecify.annotations.NullMarked;
