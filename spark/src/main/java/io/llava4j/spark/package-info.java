/** The steps of a data mixture as stages of Apache Spark; see docs/spark.md. */
@NullMarked
package io.llava4j.spark;

import org.jspecify.annotations.NullMarked;
