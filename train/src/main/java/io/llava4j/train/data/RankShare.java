package io.llava4j.train.data;

import java.util.stream.IntStream;

/**
 * Which samples of an epoch a process trains on. The micro-batches of an epoch's order go to the processes in turn, as the
 * sampler's chunks do (docs/reference/training.md#sampler): micro-batch m of a step on rank r is the step's micro-batch
 * m · processes + r, so that a step has the same samples with any number of processes.
 *
 * @param rank of the process, from 0
 * @param processes number of processes
 * @param perDevice samples of a micro-batch
 * @param accumulation micro-batches of a step on each process
 */
public record RankShare(int rank, int processes, int perDevice, int accumulation) {
    /** Samples of a step on all processes. */
    public int samplesPerStep() {
        return perDevice * accumulation * processes;
    }

    /** Steps of an epoch; the last may be smaller. */
    public int steps(int samples) {
        return Math.ceilDiv(samples, samplesPerStep());
    }

    /** Whether this process has samples in a micro-batch of an epoch of so many samples. */
    public boolean has(int step, int micro, int samples) {
        return start(step, micro) < samples;
    }

    /** Where a micro-batch begins among this process's samples; all before it are full. */
    public int position(int step, int micro) {
        return (step * accumulation + micro) * perDevice;
    }

    /** This process's samples of an epoch, in order. */
    public int[] of(int[] order) {
        return IntStream.range(0, steps(order.length) * accumulation)
                .flatMap(i -> {
                    int from = start(i / accumulation, i % accumulation);
                    return IntStream.range(from, Math.min(order.length, from + perDevice));
                })
                .map(i -> order[i])
                .toArray();
    }

    private int start(int step, int micro) {
        return step * samplesPerStep() + (micro * processes + rank) * perDevice;
    }
}
