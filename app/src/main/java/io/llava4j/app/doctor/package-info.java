/** Examines the machine: what is fine, what is not, what to do. */
@NullMarked
package io.llava4j.app.doctor;

import org.jspecify.annotations.NullMarked;
