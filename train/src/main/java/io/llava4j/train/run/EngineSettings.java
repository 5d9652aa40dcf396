package io.llava4j.train.run;

import io.llava4j.tensor.ComputePrecision;
import io.llava4j.train.config.Default;

/**
 * How the tensor engine computes a run.
 *
 * @param precision {@code fp32}; {@code tf32}, which rounds the factors of matrix products on GPUs; or {@code bf16}, which
 *     stores and computes the network in 16 bits beside a 32-bit copy of what is trained
 */
public record EngineSettings(@Default("fp32") ComputePrecision precision) {}
