/** Sequences that are decoded: a prompt with its images, its prefill, and one further token at a time. */
@NullMarked
package io.llava4j.generate.session;

import org.jspecify.annotations.NullMarked;
