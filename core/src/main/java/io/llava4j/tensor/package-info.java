/** The engine seam: loading, scopes, devices, linear operators, and the bridge from Java arrays to tensors. */
@NullMarked
package io.llava4j.tensor;

import org.jspecify.annotations.NullMarked;
