/** Pages and images that show data sets to people. */
@NullMarked
package io.llava4j.app.data;

import org.jspecify.annotations.NullMarked;
