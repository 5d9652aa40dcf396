package io.llava4j.generate;

import io.llava4j.text.StreamDecoder;
import java.util.List;

/** The text of one answer as its tokens come: without blanks around it, ended by the first stop text. */
final class AnswerText {
    private final StreamDecoder decoder;
    private final StopText stop;
    private final StringBuilder text = new StringBuilder();

    AnswerText(StreamDecoder decoder, List<String> stops) {
        this.decoder = decoder;
        this.stop = new StopText(stops);
    }

    /** The text that a token completes; empty if there is none yet. */
    String accept(int id) {
        return append(stop.accept(decoder.accept(id)));
    }

    /** Whether a stop text has come. */
    boolean ended() {
        return stop.reached();
    }

    /** What is left at the end of the answer. */
    String finish() {
        String last = stop.accept(decoder.finish());
        return append(last + stop.finish());
    }

    /** The first piece begins with the blank behind "ASSISTANT:". */
    private String append(String piece) {
        String shown = text.isEmpty() ? piece.stripLeading() : piece;
        text.append(shown);
        return shown;
    }

    /** All of it, trimmed. */
    @Override
    public String toString() {
        return text.toString().strip();
    }
}
