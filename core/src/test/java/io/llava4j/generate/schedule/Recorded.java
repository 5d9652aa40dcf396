package io.llava4j.generate.schedule;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** Keeps what a listener is told. */
final class Recorded implements Listener {
    final List<ChosenToken> tokens = new ArrayList<>();
    private final IntPredicate goesOn;
    private final CountDownLatch end = new CountDownLatch(1);
    private volatile @Nullable FinishReason reason;
    private volatile @Nullable Usage usage;
    private volatile @Nullable RuntimeException failure;

    Recorded() {
        this(count -> true);
    }

    /** @param goesOn whether the answer goes on after so many tokens */
    Recorded(IntPredicate goesOn) {
        this.goesOn = goesOn;
    }

    @Override
    public boolean token(ChosenToken token) {
        tokens.add(token);
        return goesOn.test(tokens.size());
    }

    @Override
    public void finished(FinishReason why, Usage took) {
        reason = why;
        usage = took;
        end.countDown();
    }

    @Override
    public void failed(RuntimeException cause) {
        failure = cause;
        end.countDown();
    }

    Recorded await() {
        try {
            if (!end.await(60, TimeUnit.SECONDS)) {
                throw new AssertionError("the answer has no end");
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        return this;
    }

    @Nullable
    FinishReason reason() {
        return reason;
    }

    Usage usage() {
        Usage took = usage;
        if (took == null) {
            throw new AssertionError("the answer failed", failure);
        }
        return took;
    }

    @Nullable
    RuntimeException failure() {
        return failure;
    }
}
