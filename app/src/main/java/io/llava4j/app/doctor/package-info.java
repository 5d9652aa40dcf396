/** Checks of the machine: what works, what does not, what to change. */
@NullMarked
package io.llava4j.app.doctor;

import org.jspecify.annotations.NullMarked;
