/** Element types and block formats of stored tensors, and the conversions between them. Knows no engine. */
@NullMarked
package io.llava4j.tensor.format;

import org.jspecify.annotations.NullMarked;
