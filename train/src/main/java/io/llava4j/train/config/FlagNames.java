package io.llava4j.train.config;

import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Names of another program's flags that stand for keys, at a file's top level and on the command line. */
public interface FlagNames {
    /** No such names. */
    FlagNames NONE = new FlagNames() {
        @Override
        public Optional<String> keyOf(String flag) {
            return Optional.empty();
        }

        @Override
        public Set<String> names() {
            return Set.of();
        }

        @Override
        public @Nullable Object valueOf(String flag, @Nullable Object value) {
            return value;
        }
    };

    /** The dotted key that a flag stands for, with or without the flag's leading dashes. */
    Optional<String> keyOf(String flag);

    /** Every flag, without dashes. */
    Set<String> names();

    /** The key's value for a flag's value; null for no value. */
    @Nullable
    Object valueOf(String flag, @Nullable Object value);
}
