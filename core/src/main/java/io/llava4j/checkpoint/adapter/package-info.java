/** Reads and writes LoRA adapters in the files of PEFT. */
@NullMarked
package io.llava4j.checkpoint.adapter;

import org.jspecify.annotations.NullMarked;
