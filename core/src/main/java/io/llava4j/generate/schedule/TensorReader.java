package io.llava4j.generate.schedule;

import io.llava4j.generate.session.DecodingSession;
import io.llava4j.model.LlavaModel;
import io.llava4j.tensor.Engine;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads one sequence after the other with the tensor engine, whose batches would round differently. */
final class TensorReader implements SequenceReader {
    private final LlavaModel model;
    private @Nullable Request request;
    private @Nullable DecodingSession session;

    TensorReader(LlavaModel model) {
        this.model = model;
    }

    /** The device says itself when its memory is full. */
    @Override
    public void requireRoom(Request next) {}

    @Override
    public boolean admits(Request next) {
        return request == null;
    }

    @Override
    public void start(Request next) {
        // Of this thread, in which the engine computes.
        Engine.setThreads(0);
        request = next;
    }

    @Override
    public Map<Request, NextLogits> step(Map<Request, RuntimeException> failures) {
        Request current = request;
        if (current == null) {
            return Map.of();
        }
        try {
            synchronized (model) {
                return Map.of(current, NextLogits.of(Engine.inference("generation", () -> logits(current))));
            }
        } catch (RuntimeException e) {
            failures.put(current, e);
            return Map.of();
        }
    }

    private float[] logits(Request current) {
        if (session == null) {
            session = new DecodingSession(model, List.of(current.work().prompt()), null);
        } else {
            session.decodeStep(new int[] {current.lastToken()});
        }
        return session.logits(0);
    }

    @Override
    public void end(Request ended, boolean keepsContext) {
        close();
        request = null;
    }

    @Override
    public void count(Counters counters) {}

    @Override
    public void close() {
        if (session != null) {
            session.close();
        }
        session = null;
    }
}
