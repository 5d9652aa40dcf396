/** Constrained decoding: which tokens may come next so that an answer fits a JSON schema. */
@NullMarked
package io.llava4j.generate.constrain;

import org.jspecify.annotations.NullMarked;
