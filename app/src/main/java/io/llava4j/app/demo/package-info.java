/** The demo: trains a nano LLaVA-1.5, evaluates it and writes the report. */
@NullMarked
package io.llava4j.app.demo;

import org.jspecify.annotations.NullMarked;
