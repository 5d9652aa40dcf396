/**
 * Fuzz targets: readers of untrusted files under arbitrary bytes. A target is a class with a public static {@code
 * fuzzerTestOneInput(byte[])}, which Jazzer calls ({@code scripts/fuzz}), and a folder of inputs of its name under
 * {@code src/test/resources/fuzz}, which every build replays ({@link io.llava4j.fuzz.FuzzRegressionTest}).
 */
@NullMarked
package io.llava4j.fuzz;

import org.jspecify.annotations.NullMarked;
