package io.llava4j.generate.session;

import io.llava4j.model.cpu.KvContext;
import org.jspecify.annotations.Nullable;

/**
 * What a generator's last prompt and answer were, and their keys and values: the next turn of a conversation, or the next
 * question about an image, reads only what is new. It changes nothing but the time, because a context has the same bits however
 * it was read.
 */
public final class LastSequence implements AutoCloseable {
    private @Nullable ImagePrompt read;
    private @Nullable KvContext context;
    private long reusedTokens;

    /** Ids at the start of a prompt that were read; at least one is left to be read. */
    int shared(ImagePrompt prompt) {
        return read == null ? 0 : Math.min(prompt.sharedPrefix(read), prompt.ids().length - 1);
    }

    /** A context that has read that many tokens, image tokens included. */
    KvContext fork(int tokens) {
        if (context == null) {
            throw new IllegalStateException("nothing was read");
        }
        reusedTokens += tokens;
        return context.fork(tokens);
    }

    /** Replaces what was remembered; the context is closed when it is forgotten. */
    void remember(ImagePrompt newRead, KvContext newContext) {
        close();
        read = newRead;
        context = newContext;
    }

    /** Tokens so far that did not have to be read again. */
    public long reusedTokens() {
        return reusedTokens;
    }

    @Override
    public void close() {
        if (context != null) {
            context.close();
        }
        context = null;
        read = null;
    }
}
