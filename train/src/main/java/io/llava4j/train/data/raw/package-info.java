/** The raw annotation files of the data sets that LLaVA's mixture is made of (docs/reference/data.md#raw-schemas): readers and writers. */
@NullMarked
package io.llava4j.train.data.raw;

import org.jspecify.annotations.NullMarked;
