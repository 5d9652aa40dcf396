package io.llava4j.app.verify;

import io.llava4j.DataException;
import io.llava4j.LlavaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Finds the suites that accept a folder, or the folders in it, and runs them. */
public final class VerifyRunner {
    private record Match(Suite suite, Path dir) {}

    private final List<Suite> suites;

    /** @param suites every suite that may be tried */
    public VerifyRunner(List<Suite> suites) {
        this.suites = List.copyOf(suites);
    }

    /**
     * Runs every case of every suite that accepts {@code dir}, or, where none does that owns them, of its subfolders. A suite that
     * throws or yields no case gives a failed case; a subfolder that no suite accepts, next to others that one does, gives a skipped
     * case.
     *
     * @param dir a folder of reference data, or one that holds such folders
     * @param out receives every case as soon as it is decided
     * @throws DataException if {@code dir} is not a folder or no suite accepts anything in it
     */
    public void run(Path dir, Consumer<CaseResult> out) {
        if (!Files.isDirectory(dir)) {
            throw new DataException("cannot verify " + dir
                    + ": there is no such folder; name a folder of reference data, for example goldens/preprocess");
        }
        List<Path> unknown = new ArrayList<>();
        List<Match> matches = matches(dir);
        if (matches.stream().noneMatch(match -> match.suite().ownsSubfolders())) {
            for (Path child : subfolders(dir)) {
                List<Match> found = matches(child);
                matches.addAll(found);
                if (found.isEmpty()) {
                    unknown.add(child);
                }
            }
        }
        if (matches.isEmpty()) {
            throw new DataException("cannot verify " + dir
                    + ": neither it nor a folder in it holds reference data of a known kind ("
                    + String.join(", ", suites.stream().map(Suite::name).toList()) + ")");
        }
        matches.forEach(match -> run(match, out));
        for (Path folder : unknown) {
            out.accept(CaseResult.skipped(
                    "unknown", String.valueOf(folder.getFileName()), "no suite accepts this folder"));
        }
    }

    private List<Match> matches(Path dir) {
        List<Match> matches = new ArrayList<>();
        for (Suite suite : suites) {
            if (suite.accepts(dir)) {
                matches.add(new Match(suite, dir));
            }
        }
        return matches;
    }

    // Whatever a suite throws, including natives that do not load, becomes a failed case; the next suite still runs.
    private static void run(Match match, Consumer<CaseResult> out) {
        String suite = match.suite().name();
        int[] cases = {0};
        try {
            match.suite().run(match.dir(), result -> {
                cases[0]++;
                out.accept(result);
            });
            if (cases[0] == 0) {
                out.accept(failed(suite, match.dir(), "the folder holds no case"));
            }
        } catch (LlavaException e) {
            out.accept(failed(suite, match.dir(), String.valueOf(e.getMessage())));
        } catch (RuntimeException | LinkageError e) {
            out.accept(failed(suite, match.dir(), e.toString()));
        }
    }

    private static CaseResult failed(String suite, Path dir, String reason) {
        return new CaseResult(suite, String.valueOf(dir.getFileName()), Double.NaN, 0, CaseResult.Status.FAIL, reason);
    }

    private static List<Path> subfolders(Path dir) {
        try (Stream<Path> children = Files.list(dir)) {
            return children.filter(Files::isDirectory).sorted().toList();
        } catch (IOException e) {
            throw new DataException("cannot read folder " + dir + ": " + e.getMessage(), e);
        }
    }
}
