/**
 * What fixes a network before a tensor exists: its shape, and the names and shapes of its parameters. Knows neither the
 * engine nor files, so that everybody may know it.
 */
@NullMarked
package io.llava4j.model.config;

import org.jspecify.annotations.NullMarked;
