package io.llava4j.train.data.raw;

import io.llava4j.ConfigException;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;

/** The files of a source by role, such as {@code questions} and {@code annotations}. */
public final class SourceFiles {
    private final String source;
    private final Map<String, RawFile> files;

    /**
     * @param source name for messages
     * @param files by role, in the recipe's order
     */
    public SourceFiles(String source, Map<String, RawFile> files) {
        this.source = source;
        this.files = files;
    }

    /**
     * The file of a role.
     *
     * @throws ConfigException if the recipe does not name it
     */
    public RawFile get(String role) {
        return find(role)
                .orElseThrow(() ->
                        new ConfigException("sources.%s.files.%s is missing; name the file".formatted(source, role)));
    }

    /** The file of an optional role. */
    public Optional<RawFile> find(String role) {
        return Optional.ofNullable(files.get(role));
    }

    /** All files, in the recipe's order. */
    public Collection<RawFile> all() {
        return files.values();
    }

    /** All roles, in the recipe's order. */
    public Collection<String> roles() {
        return files.keySet();
    }
}
