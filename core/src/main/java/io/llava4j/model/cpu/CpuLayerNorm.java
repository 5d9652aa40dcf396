package io.llava4j.model.cpu;

/** Weight and bias of a layer norm, or of a group norm. */
record CpuLayerNorm(float[] weight, float[] bias) {}
