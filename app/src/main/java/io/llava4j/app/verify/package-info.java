/** Checks an installation against reference data: one suite per kind of data. */
@NullMarked
package io.llava4j.app.verify;

import org.jspecify.annotations.NullMarked;
