package io.llava4j.generate.schedule;

import io.llava4j.DataException;
import io.llava4j.LlavaException;
import io.llava4j.generate.session.ImagePrompt;
import io.llava4j.image.tile.ImageDigest;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.cpu.CpuLlamaModel;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One decoding thread for the requests of many callers. Sequences join and leave at every step: a step reads one token of
 * each answer that is being written and a bounded number of tokens of new prompts, so that a long prompt does not hold up
 * the answers of others. Requests are taken in as they arrived.
 *
 * <p><b>An answer does not depend on its neighbours.</b> On the CPU kernels logits are the same to the last bit in any batch
 * and in any chunks, with or without a cache; a language model that computes elsewhere decodes one request after another.
 */
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

    /** Tokens that a step guesses for all answers together: a few more cost little beside reading the weights. */
    public static final int MAX_GUESSES = 16;

    private final LlavaModel model;
    private final Limits limits;
    private final SequenceReader reader;
    private final int parallel;

    private final Object lock = new Object();
    private final Deque<Request> waiting = new ArrayDeque<>();
    private final Set<Request> running = new LinkedHashSet<>();
    private final Counters counters = new Counters();
    private final CompletableFuture<Boolean> ended = new CompletableFuture<>();
    private @Nullable Thread thread;
    private boolean closed;
    private double averageSeconds;

    /**
     * A scheduler on a loaded model, which it does not close.
     *
     * @param sharesPrefixes whether what two prompts have in common is read once; changes the speed, not the answers
     */
    public Scheduler(LlavaModel model, Limits limits, boolean sharesPrefixes) {
        this(model, limits, sharesPrefixes, CpuReader::availableMemory);
    }

    Scheduler(LlavaModel model, Limits limits, boolean sharesPrefixes, LongSupplier memory) {
        this.model = model;
        this.limits = limits;
        if (model.languageModel() instanceof CpuLlamaModel cpu) {
            this.parallel = limits.parallel();
            this.reader = new CpuReader(model, cpu, sharesPrefixes, limits.cacheBytes(), memory);
        } else {
            this.parallel = 1;
            this.reader = new TensorReader(model);
        }
    }

    /**
     * Asks for an answer.
     *
     * @param listener sees the answer, from the decoding thread
     * @throws OverloadedException if too many requests wait
     * @throws DataException if the prompt is too long, or placeholders and images do not match in number
     * @throws LlavaException if memory cannot hold the keys and values of prompt and answer
     */
    public Ticket submit(Work work, Listener listener) {
        Request request = request(work, listener, null, new IdentityHashMap<>());
        synchronized (lock) {
            requireRoom(0);
            enqueue(request);
        }
        return request;
    }

    /**
     * Refuses a request that need not even be prepared.
     *
     * @param arriving requests that are being prepared
     * @throws OverloadedException if too many requests wait
     */
    public void requireRoom(int arriving) {
        synchronized (lock) {
            int before = arriving + waiting.size();
            if (before + (long) running.size() >= (long) parallel + limits.queue()) {
                counters.refused++;
                double rounds = (before + 1.0) / parallel;
                throw new OverloadedException(
                        before, Duration.ofSeconds(Math.max(1, (long) Math.ceil(rounds * averageSeconds))));
            }
        }
    }

    /**
     * Asks for answers that one caller waits for together. They may be more than the queue holds. For the sake of speed, all
     * of them that are taken in read their prompts before they are decoded.
     *
     * @param listeners one for each
     */
    public List<Ticket> submit(List<Work> works, List<? extends Listener> listeners) {
        Object group = new Object();
        Map<PreparedImage, ImageDigest> digests = new IdentityHashMap<>();
        List<Request> requests = new ArrayList<>();
        for (Work work : works) {
            requests.add(request(work, listeners.get(requests.size()), group, digests));
        }
        synchronized (lock) {
            requests.forEach(this::enqueue);
        }
        return List.copyOf(requests);
    }

    private Request request(
            Work work, Listener listener, @Nullable Object group, Map<PreparedImage, ImageDigest> digests) {
        int placeholders = ImagePrompt.placeholders(work.prompt().ids());
        if (placeholders != work.prompt().images().size()) {
            throw new DataException("the prompt has " + placeholders + " image placeholders for "
                    + work.prompt().images().size() + " images; give one image for each");
        }
        SplicedPrompt prompt = new SplicedPrompt(work.prompt(), model.config(), digests);
        int positions = model.config().text().maxPositionEmbeddings();
        int context = limits.context() > 0 ? Math.min(limits.context(), positions) : positions;
        int limit = model.config().maxSequenceLength();
        int longest = limit > 0 ? Math.min(limit, context - 1) : context - 1;
        if (prompt.length() > longest) {
            throw new DataException("the prompt has " + prompt.length()
                    + " tokens, image tokens included, but the model reads " + longest + "; shorten the conversation");
        }
        Request request = new Request(work, listener, prompt, context - prompt.length(), group);
        reader.requireRoom(request);
        return request;
    }

    private void enqueue(Request request) {
        if (closed) {
            throw new IllegalStateException("this scheduler is closed");
        }
        counters.accepted++;
        waiting.add(request);
        if (thread == null) {
            thread = Thread.ofPlatform().daemon().name("llava-decoding").start(this::run);
        }
        lock.notifyAll();
    }

    private void run() {
        try {
            while (takeIn()) {
                endThoseThatAreOver();
                step();
            }
            LlavaException end = new LlavaException("the model was closed before the answer was complete");
            failAll(end);
            List<Request> left;
            synchronized (lock) {
                left = List.copyOf(waiting);
                waiting.clear();
            }
            left.forEach(request -> tell(() -> request.fail(end)));
            reader.close();
        } finally {
            ended.complete(true);
        }
    }

    /** Waits for work and takes in as much of it as there is room for; false once the scheduler is closed. */
    private boolean takeIn() {
        List<Runnable> ends = new ArrayList<>();
        synchronized (lock) {
            while (!closed && waiting.isEmpty() && running.isEmpty()) {
                try {
                    lock.wait();
                } catch (InterruptedException e) {
                    closed = true;
                }
            }
            if (closed) {
                return false;
            }
            waiting.removeIf(request -> {
                Runnable end = end(request);
                if (end != null) {
                    counters.finished++;
                    ends.add(end);
                }
                return end != null;
            });
            while (running.size() < parallel && !waiting.isEmpty()) {
                Request next = waiting.getFirst();
                try {
                    if (!reader.admits(next)) {
                        break;
                    }
                    next.started();
                    reader.start(next);
                    running.add(next);
                } catch (LlavaException e) {
                    counters.finished++;
                    ends.add(() -> next.fail(e));
                }
                waiting.removeFirst();
            }
        }
        ends.forEach(Scheduler::tell);
        return true;
    }

    /** How a request ends that was cancelled or took too long; null if it goes on. */
    private @Nullable Runnable end(Request request) {
        if (request.isCancelled()) {
            return () -> request.finish(FinishReason.CANCELLED);
        }
        return request.isLate(limits.timeout())
                ? () -> request.fail(new AnswerTimeoutException(limits.timeout()))
                : null;
    }

    private void endThoseThatAreOver() {
        for (Request request : List.copyOf(running)) {
            Runnable end = end(request);
            if (end != null) {
                end(request, true, end);
            }
        }
    }

    private void step() {
        Map<Request, RuntimeException> failures = new LinkedHashMap<>();
        Map<Request, NextLogits> logits;
        try {
            logits = reader.step(failures);
        } catch (RuntimeException e) {
            failAll(e);
            return;
        } catch (Error e) {
            failAll(new LlavaException("decoding failed: " + e, e));
            return;
        }
        synchronized (lock) {
            counters.steps++;
            counters.batchedAnswers += logits.size();
            reader.count(counters);
        }
        failures.forEach((request, cause) -> end(request, false, () -> request.fail(cause)));
        logits.forEach(this::choose);
    }

    /** Chooses an answer's next token, and those after it as long as they were guessed right. */
    private void choose(Request request, NextLogits next) {
        int before = request.answerTokens();
        Runnable end = null;
        try {
            FinishReason reason = next.chooseFor(request);
            end = reason == null ? null : () -> request.finish(reason);
        } catch (RuntimeException e) {
            end = () -> request.fail(e);
        }
        int chosen = request.answerTokens() - before;
        synchronized (lock) {
            counters.answerTokens += chosen;
            counters.guessedTokens += next.guesses().length;
            counters.rightGuesses += Math.max(0, chosen - 1);
        }
        if (end != null) {
            end(request, true, end);
        }
    }

    private void failAll(RuntimeException cause) {
        for (Request request : List.copyOf(running)) {
            end(request, false, () -> request.fail(cause));
        }
    }

    private void end(Request request, boolean keepsContext, Runnable end) {
        reader.end(request, keepsContext);
        synchronized (lock) {
            running.remove(request);
            counters.finished++;
            counters.promptTokens += request.prompt().length();
            counters.cachedTokens += request.cachedTokens();
            averageSeconds = averageSeconds == 0
                    ? request.runSeconds()
                    : averageSeconds + (request.runSeconds() - averageSeconds) / 8;
            reader.count(counters);
        }
        tell(end);
    }

    /** A listener that fails must not end the answers of others. */
    private static void tell(Runnable end) {
        try {
            end.run();
        } catch (RuntimeException e) {
            Thread thread = Thread.currentThread();
            thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
        }
    }

    /** Numbers for a page of metrics. */
    public SchedulerStats stats() {
        synchronized (lock) {
            return counters.stats(waiting.size(), running.size());
        }
    }

    /** Ends all answers as failed and frees the caches. */
    @Override
    public void close() {
        Thread decoding;
        synchronized (lock) {
            closed = true;
            decoding = thread;
            lock.notifyAll();
        }
        if (decoding != null && decoding != Thread.currentThread()) {
            ended.join();
        }
    }
}
