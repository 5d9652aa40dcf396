package io.llava4j.generate;

import io.llava4j.text.StreamDecoder;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The text of one answer while its tokens arrive: without blanks around it, ended by the first stop text. */
final class AnswerText {
    private final StreamDecoder decoder;
    private final StopText stop;
    private final StringBuilder text = new StringBuilder();

    AnswerText(StreamDecoder decoder, List<String> stops) {
        this.decoder = decoder;
        this.stop = new StopText(stops);
    }

    /** The text that this token completes; empty if it completes none. */
    String accept(int id) {
        return append(stop.accept(decoder.accept(id)));
    }

    /** Whether a stop text was found. */
    boolean isStopped() {
        return stop.matched();
    }

    /** The stop text that was found; null if none was. */
    @Nullable
    String stopText() {
        return stop.text();
    }

    /** The text that is still held back at the end of the answer. */
    String finish() {
        String last = stop.accept(decoder.finish());
        return append(last + stop.finish());
    }

    /** The first chunk begins with the blank after "ASSISTANT:". */
    private String append(String chunk) {
        String shown = text.isEmpty() ? chunk.stripLeading() : chunk;
        text.append(shown);
        return shown;
    }

    /** The whole answer, trimmed. */
    @Override
    public String toString() {
        return text.toString().strip();
    }
}
