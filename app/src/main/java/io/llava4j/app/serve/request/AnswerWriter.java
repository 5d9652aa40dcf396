package io.llava4j.app.serve.request;

import io.llava4j.app.serve.http.ApiException;
import io.llava4j.generate.RunningAnswer;

/** Writes one answer in the form of an API, whole or piece by piece. */
public interface AnswerWriter {
    /**
     * The request was accepted; pieces follow.
     *
     * @param promptTokens tokens of the prompt, image tokens included
     */
    void begin(int promptTokens);

    /** The next piece of the answer. */
    void piece(RunningAnswer.Piece piece);

    /** The answer is complete. */
    void finished(Answer answer);

    /** The answer failed after the response was begun. */
    void failed(ApiException failure);
}
