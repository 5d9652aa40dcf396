/**
 * Matrix products on the CPU over weights of any stored type: one packed layout, and implementations in plain Java and in
 * machine code that agree to the last bit. Knows no engine.
 */
@NullMarked
package io.llava4j.tensor.kernel;

import org.jspecify.annotations.NullMarked;
