package io.llava4j.generate;

import io.llava4j.generate.schedule.ChosenToken;
import io.llava4j.generate.schedule.FinishReason;
import io.llava4j.generate.schedule.Listener;
import io.llava4j.generate.schedule.Ticket;
import io.llava4j.generate.schedule.Usage;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * An answer that is being written. One thread reads it to its end; any thread may cancel it. A slow reader holds up nobody.
 *
 * <pre>{@code
 * try (RunningAnswer answer = llava.start(request, AnswerOptions.of(GenerationOptions.greedy(128)))) {
 *     for (RunningAnswer.Piece piece = answer.next(); piece != null; piece = answer.next()) {
 *         System.out.print(piece.text());
 *     }
 *     System.out.println(answer.response().finish());
 * }
 * }</pre>
 */
public final class RunningAnswer implements AutoCloseable {
    /**
     * What one token adds.
     *
     * @param text certain to be part of the answer: empty while a character is incomplete or a stop text may have begun
     * @param token null for the text that was still held back at the end
     */
    public record Piece(String text, @Nullable ChosenToken token) {}

    private sealed interface Event {}

    private record Chosen(Piece piece) implements Event {}

    private record Finished(FinishReason reason, Usage usage) implements Event {}

    private record Failed(RuntimeException cause) implements Event {}

    private final AnswerText text;
    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private @Nullable Ticket ticket;
    private @Nullable Event end;

    RunningAnswer(AnswerText text) {
        this.text = text;
    }

    void accepted(Ticket accepted) {
        ticket = accepted;
    }

    /** The decoding thread's side. */
    Listener listener() {
        return new Listener() {
            @Override
            public boolean token(ChosenToken token) {
                events.add(new Chosen(new Piece(text.accept(token.id()), token)));
                return !text.isStopped();
            }

            @Override
            public void finished(FinishReason reason, Usage usage) {
                String last = text.finish();
                if (!last.isEmpty()) {
                    events.add(new Chosen(new Piece(last, null)));
                }
                events.add(new Finished(text.isStopped() ? FinishReason.STOP : reason, usage));
            }

            @Override
            public void failed(RuntimeException cause) {
                events.add(new Failed(cause));
            }
        };
    }

    /**
     * Waits for the next piece of the answer.
     *
     * @return null after the last one
     * @throws io.llava4j.LlavaException if the model cannot answer
     * @throws io.llava4j.generate.schedule.AnswerTimeoutException if the answer was not complete in time
     */
    public @Nullable Piece next() {
        if (end == null) {
            Event event = take();
            if (event instanceof Chosen chosen) {
                return chosen.piece();
            }
            end = event;
        }
        if (end instanceof Failed failed) {
            throw failed.cause();
        }
        return null;
    }

    /** Waits for the whole answer. */
    ChatResponse await() {
        while (next() != null) {}
        return response();
    }

    private Event take() {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return events.take();
                } catch (InterruptedException e) {
                    interrupted = true;
                    cancel();
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /**
     * The complete answer, and why it ended.
     *
     * @throws IllegalStateException before {@link #next} has returned null
     */
    public ChatResponse response() {
        if (!(end instanceof Finished finished)) {
            throw new IllegalStateException("the answer is not complete");
        }
        return new ChatResponse(text.toString(), finished.reason(), finished.usage());
    }

    /** The stop text that ended the complete answer; null if none did. */
    public @Nullable String stopText() {
        return text.stopText();
    }

    /** Ends the answer before its next token, as {@link FinishReason#CANCELLED}. */
    public void cancel() {
        if (ticket != null) {
            ticket.cancel();
        }
    }

    /** Cancels what is left of the answer. */
    @Override
    public void close() {
        cancel();
    }
}
