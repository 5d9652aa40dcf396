/** The files a data set may come in, read as rows of JSON and the images that belong to them. */
@NullMarked
package io.llava4j.train.data.format;

import org.jspecify.annotations.NullMarked;
