package io.llava4j.generate.schedule;

import io.llava4j.DataException;
import io.llava4j.generate.session.DecodingSession;
import io.llava4j.model.LlavaModel;
import io.llava4j.tensor.Engine;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/** One decoding thread for the requests of many callers. */
public final class Scheduler implements AutoCloseable {
    /**
     * How much is done at once, and kept.
     *
     * @param parallel most answers that are decoded at the same time
     * @param queue most requests that wait
     * @param context most tokens of a prompt with its answer; 0 for the model's own limit
     * @param cacheBytes most memory of image tokens, keys and values that are kept for later prompts
     * @param timeout longest time from a request to the end of its answer; zero for no limit
     */
    public record Limits(int parallel, int queue, int context, long cacheBytes, Duration timeout) {
        /** For one program that asks its own model. */
        public static final Limits DEFAULT = new Limits(32, Integer.MAX_VALUE, 0, 1L << 30, Duration.ZERO);
    }

    /**
     * What happens now, and what has happened so far.
     *
     * @param waiting requests in the queue
     * @param running answers that are being read or decoded
     * @param accepted requests
     * @param refused requests, because too many waited
     * @param finished answers, however they ended
     * @param steps of the decoding thread
     * @param batchedAnswers sum over all steps of the answers that took part
     * @param promptTokens read or taken from the cache
     * @param cachedTokens those of them that were taken from the cache
     * @param answerTokens chosen
     * @param encodedImages images that went through the vision tower
     * @param cachedImages images whose tokens were in the cache
     * @param cacheBytes memory of the caches now
     * @param evictions from the caches
     */
    public record Stats(
            int waiting,
            int running,
            long accepted,
            long refused,
            long finished,
            long steps,
            long batchedAnswers,
            long promptTokens,
            long cachedTokens,
            long answerTokens,
            long encodedImages,
            long cachedImages,
            long cacheBytes,
            long evictions) {}

    private final LlavaModel model;
    private final Limits limits;
    private final ExecutorService thread = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("llava-decoding").factory());
    private final AtomicInteger waiting = new AtomicInteger();

    /** A scheduler on a loaded model, which it does not close. */
    public Scheduler(LlavaModel model, Limits limits) {
        this.model = model;
        this.limits = limits;
    }

    /**
     * Asks for an answer.
     *
     * @throws OverloadedException if too many requests wait
     * @throws DataException if the prompt is too long, or placeholders and images do not match in number
     */
    public Ticket submit(Work work, Listener listener) {
        if (waiting.get() >= limits.queue()) {
            throw new OverloadedException(waiting.get(), Duration.ofSeconds(1));
        }
        waiting.incrementAndGet();
        AtomicBoolean cancelled = new AtomicBoolean();
        thread.execute(() -> {
            waiting.decrementAndGet();
            try {
                Engine.inference("generation", () -> {
                    answer(work, listener, cancelled);
                    return null;
                });
            } catch (RuntimeException e) {
                listener.failed(e);
            }
        });
        return () -> cancelled.set(true);
    }

    private void answer(Work work, Listener listener, AtomicBoolean cancelled) {
        long start = System.nanoTime();
        int length = model.config().splicedLength(work.prompt().ids());
        int most = Math.min(work.maxNewTokens(), model.config().text().maxPositionEmbeddings() - length);
        int[] ids = new int[0];
        FinishReason reason;
        try (DecodingSession session = DecodingSession.open(
                model, List.of(work.prompt().ids()), work.prompt().images())) {
            while (true) {
                if (cancelled.get()) {
                    reason = FinishReason.CANCELLED;
                    break;
                }
                int id = work.chooser().choose(session.logits(0), ids);
                ids = Arrays.copyOf(ids, ids.length + 1);
                ids[ids.length - 1] = id;
                if (!listener.token(new ChosenToken(id, Double.NaN, List.of()))) {
                    reason = FinishReason.CANCELLED;
                    break;
                }
                if (work.stopIds().contains(id)) {
                    reason = FinishReason.STOP;
                    break;
                }
                if (ids.length == most) {
                    reason = most < work.maxNewTokens() ? FinishReason.CONTEXT : FinishReason.MAX_NEW_TOKENS;
                    break;
                }
                session.decodeStep(new int[] {id});
            }
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        listener.finished(
                reason,
                new Usage(
                        length,
                        work.prompt().images().size() * model.config().tokensPerImage(),
                        0,
                        ids.length,
                        0,
                        seconds,
                        seconds));
    }

    /** Numbers for a page of metrics. */
    public Stats stats() {
        return new Stats(waiting.get(), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
