package io.llava4j.app.serve.request;

import io.llava4j.app.serve.http.ApiException;
import io.llava4j.app.serve.http.BodyBudget;
import io.llava4j.app.serve.http.ClientGoneException;
import io.llava4j.app.serve.http.Exchange;
import io.llava4j.app.serve.http.Failures;
import io.llava4j.generate.ChatResponse;
import io.llava4j.generate.RunningAnswer;
import io.llava4j.generate.schedule.FinishReason;
import java.util.concurrent.CancellationException;

/** Carries one answer from the model to its client; if the client leaves, the answer is cancelled. */
public final class AnswerLoop {
    /** Of callers that bound themselves how many they ask at a time. */
    private static final BodyBudget UNBOUNDED = new BodyBudget(Long.MAX_VALUE);

    private AnswerLoop() {}

    /** Asks the model for an answer that no client waits for, and writes it whole; a failure is thrown. */
    public static Answer run(ServedModel model, AnswerRequest request, AnswerWriter writer) {
        ServedModel.Started started = model.start(request, UNBOUNDED.share());
        try (RunningAnswer answer = started.answer()) {
            writer.begin(started.promptTokens());
            for (RunningAnswer.Piece piece = answer.next(); piece != null; piece = answer.next()) {
                writer.piece(piece);
            }
            ChatResponse response = answer.response();
            if (response.finish() == FinishReason.CANCELLED) {
                throw new CancellationException("the answer was cancelled");
            }
            Answer whole = new Answer(
                    response.text(),
                    response.finish(),
                    answer.stopText(),
                    response.usage().repeatable());
            writer.finished(whole);
            return whole;
        }
    }

    /** Asks the model and writes what it answers. */
    public static void run(Exchange exchange, ServedModel model, AnswerRequest request, AnswerWriter writer) {
        ServedModel.Started started = model.start(request, exchange.memory());
        try (RunningAnswer answer = started.answer();
                Exchange.Watch watch = exchange.watch(answer::cancel)) {
            try {
                writer.begin(started.promptTokens());
                for (RunningAnswer.Piece piece = answer.next(); piece != null; piece = answer.next()) {
                    writer.piece(piece);
                }
                ChatResponse response = answer.response();
                if (response.finish() == FinishReason.CANCELLED) {
                    throw new ClientGoneException(new CancellationException("cancelled"));
                }
                model.times().add(response.usage());
                writer.finished(new Answer(response.text(), response.finish(), answer.stopText(), response.usage()));
            } catch (ClientGoneException e) {
                model.times().addAbandoned();
                throw e;
            } catch (RuntimeException e) {
                ApiException failure = Failures.of(e);
                if (exchange.hasBegun()) {
                    writer.failed(failure);
                }
                throw failure;
            }
        }
    }
}
