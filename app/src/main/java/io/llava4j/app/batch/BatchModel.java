package io.llava4j.app.batch;

import io.llava4j.app.serve.request.ServedModel;
import io.llava4j.generate.AnswerOptions;
import io.llava4j.image.ExifOrientation;

/**
 * What answers a batch.
 *
 * @param served the model, under the names that requests may call it
 * @param options how records are answered that do not say it themselves; its seed is that of the first record
 * @param orientation what becomes of an image's orientation tag
 */
public record BatchModel(ServedModel served, AnswerOptions options, ExifOrientation orientation)
        implements AutoCloseable {
    @Override
    public void close() {
        served.close();
    }
}
