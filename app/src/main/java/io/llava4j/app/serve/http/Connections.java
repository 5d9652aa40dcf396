package io.llava4j.app.serve.http;

import io.helidon.common.buffers.DataReader;
import io.helidon.http.HttpPrologue;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.http1.Http1ConnectionListener;
import org.jspecify.annotations.Nullable;

/** Knows the connection of the request that a thread handles: each connection has a thread of its own. */
public final class Connections implements Http1ConnectionListener {
    private static final ThreadLocal<DataReader> READER = new ThreadLocal<>();

    @Override
    public void prologue(ConnectionContext context, HttpPrologue prologue) {
        READER.set(context.dataReader());
    }

    /** What reads from the client of this thread's request; null if it is not known. */
    static @Nullable DataReader current() {
        return READER.get();
    }
}
