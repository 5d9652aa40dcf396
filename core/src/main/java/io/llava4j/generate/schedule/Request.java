package io.llava4j.generate.schedule;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One answer from its request to its end. Only the decoding thread uses it, but for {@link #cancel}. */
final class Request implements Ticket {
    private final Work work;
    private final Listener listener;
    private final SplicedPrompt prompt;
    private final int maxTokens;
    private final @Nullable Object group;
    private final long arrived = System.nanoTime();
    private volatile boolean cancelled;
    private int[] ids = new int[16];
    private int count;
    private int cachedTokens;
    private long started;
    private long firstToken;

    /**
     * @param maxTokens longest answer that the context has room for
     * @param group of requests whose answers wait for each other's prompts; null for none
     */
    Request(Work work, Listener listener, SplicedPrompt prompt, int maxTokens, @Nullable Object group) {
        this.work = work;
        this.listener = listener;
        this.prompt = prompt;
        this.maxTokens = Math.min(work.maxNewTokens(), maxTokens);
        this.group = group;
    }

    @Override
    public void cancel() {
        cancelled = true;
    }

    boolean isCancelled() {
        return cancelled;
    }

    boolean isLate(Duration timeout) {
        return !timeout.isZero() && System.nanoTime() - arrived > timeout.toNanos();
    }

    Work work() {
        return work;
    }

    @Nullable
    Object group() {
        return group;
    }

    SplicedPrompt prompt() {
        return prompt;
    }

    /** Tokens of the prompt with the longest answer. */
    int reservedTokens() {
        return prompt.length() + maxTokens;
    }

    /** Tokens that the answer may still have. */
    int remainingTokens() {
        return maxTokens - count;
    }

    int answerTokens() {
        return count;
    }

    int lastToken() {
        return ids[count - 1];
    }

    int[] answer() {
        return Arrays.copyOf(ids, count);
    }

    void started() {
        started = System.nanoTime();
    }

    /** From its first read token until now. */
    double runSeconds() {
        return (System.nanoTime() - started) / 1e9;
    }

    void cached(int tokens) {
        cachedTokens = tokens;
    }

    int cachedTokens() {
        return cachedTokens;
    }

    /**
     * Chooses the next token.
     *
     * @param logits {@code [vocab]}, changed
     * @return why the answer ends with it; null if it goes on
     */
    @Nullable
    FinishReason choose(float[] logits) {
        int wanted = work.topLogprobs();
        double logSumExp = wanted < 0 ? Double.NaN : LogProbabilities.logSumExp(logits, 0, logits.length);
        List<TokenLogprob> top = wanted < 0 ? List.of() : LogProbabilities.top(logits, logSumExp, wanted);
        float[] raw = wanted < 0 || work.constraint() == null ? logits : logits.clone();
        if (work.constraint() != null) {
            work.constraint().mask(logits);
        }
        int id = work.chooser().choose(logits, answer());
        if (work.constraint() != null) {
            work.constraint().accept(id);
        }
        if (count == ids.length) {
            ids = Arrays.copyOf(ids, 2 * count);
        }
        ids[count++] = id;
        if (count == 1) {
            firstToken = System.nanoTime();
        }
        boolean wantsMore = listener.token(new ChosenToken(id, raw[id] - logSumExp, top));
        if (work.stopIds().contains(id)) {
            return FinishReason.STOP;
        }
        if (!wantsMore) {
            return FinishReason.CANCELLED;
        }
        if (count < maxTokens) {
            return null;
        }
        return maxTokens < work.maxNewTokens() ? FinishReason.CONTEXT : FinishReason.MAX_NEW_TOKENS;
    }

    void finish(FinishReason reason) {
        long now = System.nanoTime();
        listener.finished(
                reason,
                new Usage(
                        prompt.length(),
                        prompt.imageTokens(),
                        cachedTokens,
                        count,
                        ((started == 0 ? now : started) - arrived) / 1e9,
                        ((firstToken == 0 ? now : firstToken) - arrived) / 1e9,
                        (now - arrived) / 1e9));
    }

    void fail(RuntimeException cause) {
        listener.failed(cause);
    }
}
