package io.llava4j.langchain4j;

import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.chat.response.StreamingHandle;
import io.llava4j.generate.ChatResponse;
import io.llava4j.generate.RunningAnswer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Passes one answer to a handler, from one thread. A handler that throws gets its exception in onError; the answer continues. */
final class AnswerStream {
    private static final Logger LOG = LoggerFactory.getLogger(AnswerStream.class);

    private final PipelineModel model;
    private final StreamingChatResponseHandler handler;
    private String blanks = "";

    AnswerStream(PipelineModel model, StreamingChatResponseHandler handler) {
        this.model = model;
        this.handler = handler;
    }

    /** Ends the answer; a handler that does so hears no more of it. */
    private static final class Handle implements StreamingHandle {
        private final RunningAnswer answer;
        private volatile boolean cancelled;

        Handle(RunningAnswer answer) {
            this.answer = answer;
        }

        @Override
        public void cancel() {
            cancelled = true;
            answer.cancel();
        }

        @Override
        public boolean isCancelled() {
            return cancelled;
        }
    }

    void run(PipelineModel.Question question) {
        try (RunningAnswer answer = model.start(question)) {
            Handle handle = new Handle(answer);
            PartialResponseContext context = new PartialResponseContext(handle);
            for (RunningAnswer.Piece piece = answer.next(); piece != null; piece = answer.next()) {
                String text = withoutLastBlanks(piece.text());
                if (!text.isEmpty()) {
                    tell(() -> handler.onPartialResponse(new PartialResponse(text), context));
                }
                if (handle.isCancelled()) {
                    return;
                }
            }
            ChatResponse response = answer.response();
            tell(() -> handler.onCompleteResponse(model.response(response)));
        } catch (RuntimeException e) {
            tellError(Failures.of(e));
        }
    }

    /** Blanks are held back until text follows, because a complete answer ends without them. */
    private String withoutLastBlanks(String piece) {
        String all = blanks + piece;
        int end = all.stripTrailing().length();
        blanks = all.substring(end);
        return all.substring(0, end);
    }

    private void tell(Runnable call) {
        try {
            call.run();
        } catch (RuntimeException e) {
            tellError(e);
        }
    }

    private void tellError(RuntimeException error) {
        try {
            handler.onError(error);
        } catch (RuntimeException e) {
            LOG.warn("a StreamingChatResponseHandler failed in onError", e);
        }
    }
}
