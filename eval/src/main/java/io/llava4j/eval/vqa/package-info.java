/** VQA answers: the official VQA metric, the M4C answer processor and their file formats. */
@NullMarked
package io.llava4j.eval.vqa;

import org.jspecify.annotations.NullMarked;
