/** Benchmarks of reading: charts (ChartQA) and text of every kind (OCRBench). */
@NullMarked
package io.llava4j.eval.ocr;

import org.jspecify.annotations.NullMarked;
