/** The engine seam: guarded loading, scopes, devices, and the bridge from Java arrays to tensors. */
@NullMarked
package io.llava4j.tensor;

import org.jspecify.annotations.NullMarked;
