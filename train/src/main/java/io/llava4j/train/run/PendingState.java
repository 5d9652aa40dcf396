package io.llava4j.train.run;

import io.llava4j.CheckpointException;
import io.llava4j.LlavaException;
import io.llava4j.io.AtomicFiles;
import io.llava4j.tensor.collective.PeerLostException;
import io.llava4j.tensor.collective.ProcessGroup;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * A state that is copied and yet to be written: complete or absent. One process writes its folder; of several, each writes its
 * part, and the folder gets its name when all have, or disappears.
 *
 * @param folder of the state
 * @param partial where several processes write their parts
 * @param group all processes
 * @param copy of this process's part; closed by {@link #write}
 */
record PendingState(Path folder, Path partial, ProcessGroup group, StateFiles.Copy copy) {
    /** Writes what this process has copied; on any thread. */
    void write() {
        try (copy) {
            if (group.size() == 1) {
                AtomicFiles.writeDirectory(folder, copy::write);
            } else {
                copy.write(partial);
            }
        }
    }

    /**
     * Waits until this process, and all others, have written.
     *
     * @param writing what {@link #write} runs in
     * @throws CheckpointException if a process cannot write its part; the message names it
     */
    void complete(CompletableFuture<Void> writing) {
        String problem = "";
        try {
            writing.join();
        } catch (CompletionException e) {
            if (group.size() > 1 && e.getCause() instanceof LlavaException cause) {
                problem = String.valueOf(cause.getMessage());
            } else if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            } else {
                throw e;
            }
        }
        if (group.size() > 1) {
            completeParts(group.allGather(problem));
        }
    }

    private void completeParts(List<String> problems) {
        boolean whole = problems.stream().allMatch(String::isEmpty);
        group.onFirst(() -> {
            if (whole) {
                AtomicFiles.endDirectory(folder);
            } else {
                AtomicFiles.deleteDirectory(partial);
            }
            return "";
        });
        for (int rank = 0; rank < problems.size(); rank++) {
            if (!problems.get(rank).isEmpty()) {
                String why = "rank %d cannot save its part of %s: %s".formatted(rank, folder, problems.get(rank));
                throw rank == group.rank().rank() ? new CheckpointException(why) : new PeerLostException(why, null);
            }
        }
    }
}
