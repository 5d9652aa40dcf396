package io.llava4j.nano.raw;

import io.llava4j.DataException;
import io.llava4j.io.Progress;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneRenderer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Draws images on several threads while the calling thread writes their annotations. */
public final class RenderQueue implements AutoCloseable {
    /** Largest number of waiting images; beyond it the caller draws an image itself. */
    private static final int WAITING = 1024;

    private static final long POLL_MILLIS = 200;

    private final int imageSize;
    private final int expected;
    private int queued;
    private final Progress progress;
    private final ThreadPoolExecutor workers;
    private final AtomicInteger drawn = new AtomicInteger();
    private final AtomicReference<@Nullable Exception> failure = new AtomicReference<>();

    /**
     * @param imageSize edge in pixels
     * @param threads number of threads that draw
     * @param expected number of images, or 0 if it is not known before all are queued
     * @param progress called by the calling thread
     */
    public RenderQueue(int imageSize, int threads, int expected, Progress progress) {
        this.imageSize = imageSize;
        this.expected = expected;
        this.progress = progress;
        // Platform threads: the work is computing, not waiting.
        this.workers = new ThreadPoolExecutor(
                threads,
                threads,
                0,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(WAITING),
                new ThreadPoolExecutor.CallerRunsPolicy());
    }

    /**
     * Draws an image in the calling thread or, later, in another one.
     *
     * @param format {@code jpg} or {@code png}, whatever the file's name ends in
     * @throws RuntimeException if an earlier image could not be written
     */
    public void draw(Scene scene, Path file, String format) {
        requireNoFailure();
        queued++;
        workers.execute(() -> {
            try {
                Files.createDirectories(Objects.requireNonNull(file.getParent()));
                ImageFiles.write(SceneRenderer.render(scene, imageSize), file, format);
                drawn.incrementAndGet();
            } catch (IOException | RuntimeException e) {
                failure.compareAndSet(null, e);
            }
        });
        progress.update(drawn.get(), total());
    }

    private int total() {
        return Math.max(expected, queued);
    }

    /** Waits until all images are drawn. */
    public void finish() {
        workers.shutdown();
        try {
            while (!workers.awaitTermination(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
                requireNoFailure();
                progress.update(drawn.get(), total());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DataException("writing images of the nano world was interrupted; run it again", e);
        }
        requireNoFailure();
        if (drawn.get() != total()) {
            throw new IllegalStateException(drawn + " images drawn of " + total());
        }
        progress.update(total(), total());
    }

    private void requireNoFailure() {
        switch (failure.get()) {
            case null -> {}
            case IOException e -> throw new UncheckedIOException(e);
            case RuntimeException e -> throw e;
            case Exception e -> throw new IllegalStateException(e);
        }
    }

    /** Drops images that are not drawn yet. */
    @Override
    public void close() {
        workers.shutdownNow();
        workers.close();
    }
}
