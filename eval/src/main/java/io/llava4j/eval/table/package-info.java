/** Benchmarks that come as one table with the images inside: TSV, Parquet or JSON, read row by row. */
@NullMarked
package io.llava4j.eval.table;

import org.jspecify.annotations.NullMarked;
