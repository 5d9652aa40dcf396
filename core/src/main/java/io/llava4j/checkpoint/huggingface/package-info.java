/** The JSON files of a model folder: config.json, preprocessor, tokenizer. */
@NullMarked
package io.llava4j.checkpoint.huggingface;

import org.jspecify.annotations.NullMarked;
