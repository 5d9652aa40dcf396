package io.llava4j.train.batch;

import io.llava4j.generate.AnswerOptions;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.generate.schedule.Scheduler;
import io.llava4j.image.ExifOrientation;
import java.time.Duration;

/**
 * What answers the records of a data file.
 *
 * @param pipeline the model
 * @param options how records are answered; its seed is that of the first record
 * @param orientation what becomes of an image's orientation tag
 */
public record BatchModel(LlavaPipeline pipeline, AnswerOptions options, ExifOrientation orientation)
        implements AutoCloseable {
    /**
     * Limits of a pipeline that answers a file: so many at a time, and all others may wait.
     *
     * @param parallel most answers that are decoded at the same time
     */
    public static Scheduler.Limits limits(int parallel) {
        Scheduler.Limits usual = Scheduler.Limits.DEFAULT;
        return new Scheduler.Limits(parallel, usual.queue(), 0, usual.cacheBytes(), Duration.ZERO);
    }

    @Override
    public void close() {
        pipeline.close();
    }
}
