package io.llava4j.tensor.collective;

import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What this process waits in for other processes, so that somebody else can say which of them is late. */
public final class Waits {
    private static volatile @Nullable Waits current;

    private final String where;
    private final long since = System.nanoTime();

    private Waits(String where) {
        this.where = where;
    }

    /** The wait of this moment, if there is one. */
    public static Optional<Waits> current() {
        return Optional.ofNullable(current);
    }

    /** Runs what waits. */
    static <T extends @Nullable Object> T in(String where, Supplier<T> work) {
        current = new Waits(where);
        try {
            return work.get();
        } finally {
            current = null;
        }
    }

    /** For messages, for example {@code an exchange of tensors}. */
    public String where() {
        return where;
    }

    /** {@link System#nanoTime} at which waiting began. */
    public long since() {
        return since;
    }
}
