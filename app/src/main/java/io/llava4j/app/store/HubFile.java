package io.llava4j.app.store;

import org.jspecify.annotations.Nullable;

/**
 * A file of a repository.
 *
 * @param name path in the repository, as the hub says
 * @param size bytes; -1 if the hub does not say
 * @param sha256 of a large file (Git LFS), in hexadecimal; null for others
 * @param gitBlob SHA-1 of Git's blob, in hexadecimal; null if the hub does not say
 */
record HubFile(
        String name,
        long size,
        @Nullable String sha256,
        @Nullable String gitBlob) {
    /** Whether it lies at the top of the repository, under a name that is nothing but a name. */
    boolean isPlain() {
        return name.matches("[A-Za-z0-9][A-Za-z0-9._+ -]{0,199}");
    }

    /** Whether its path would leave the repository's folder, or has characters that no honest path has. */
    boolean isHostile() {
        boolean leaves = ("/" + name + "/").contains("/../") || ("/" + name + "/").contains("/./");
        return name.isEmpty()
                || name.startsWith("/")
                || leaves
                || name.contains("//")
                || name.matches("(?s).*[\\\\\\p{Cntrl}].*")
                || name.matches("[A-Za-z]:.*");
    }
}
