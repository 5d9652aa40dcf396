package io.llava4j.eval.run;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.AnswerFile;
import io.llava4j.eval.format.Journal;
import io.llava4j.eval.format.JsonFiles;
import io.llava4j.io.AtomicFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Keeps the answers of a running evaluation: {@code <answers>.manifest.json} says what the run is, {@code <answers>.part}
 * collects the answers and becomes the answer file when it is complete.
 */
final class AnswerJournal {
    private final Path answers;
    private final Path manifestFile;
    private final Path part;
    private final RunManifest manifest;

    AnswerJournal(Path answers, RunManifest manifest) {
        this.answers = answers;
        this.manifestFile = manifestOf(answers);
        this.part = answers.resolveSibling(answers.getFileName() + ".part");
        this.manifest = manifest;
    }

    /** The path of an answer file's manifest. */
    static Path manifestOf(Path answers) {
        return answers.resolveSibling(answers.getFileName() + ".manifest.json");
    }

    /**
     * Answers of an earlier run with the same manifest; an incomplete last line, left by a kill, is removed.
     *
     * @throws ConfigException if the files belong to another run
     */
    Map<AnswerKey, Answer> resume(Set<AnswerKey> questions) {
        try {
            if (Files.exists(manifestFile)) {
                if (!Files.readString(manifestFile).strip().equals(manifest.json())) {
                    throw new ConfigException(
                            "%s belongs to a run with another model, other questions or other decoding (%s); delete both or write elsewhere"
                                    .formatted(answers, manifestFile));
                }
            } else if (Files.exists(answers) || Files.exists(part)) {
                throw new ConfigException(
                        "%s exists, but no %s says which run it belongs to; delete it or write elsewhere"
                                .formatted(answers, manifestFile.getFileName()));
            } else {
                AtomicFiles.write(manifestFile, (manifest.json() + "\n").getBytes(StandardCharsets.UTF_8));
            }
            Path earlier = Files.exists(answers) ? answers : part;
            if (earlier.equals(part) && Files.exists(part)) {
                Journal.cutTornLine(part);
            }
            return Files.exists(earlier) ? read(earlier, questions) : new LinkedHashMap<>();
        } catch (IOException e) {
            throw new DataException("%s: cannot be resumed (%s)".formatted(answers, e.getMessage()), e);
        }
    }

    void append(List<Answer> batch) {
        StringBuilder lines = new StringBuilder();
        batch.forEach(answer -> lines.append(AnswerFile.render(answer)).append('\n'));
        Journal.append(part, lines.toString());
    }

    /** Goes on from these answers alone, also where the answer file was complete. */
    void rewrite(Collection<Answer> kept) {
        AnswerFile.write(part, List.copyOf(kept));
        try {
            Files.deleteIfExists(answers);
        } catch (IOException e) {
            throw new DataException("%s: cannot be deleted (%s)".formatted(answers, e.getMessage()), e);
        }
    }

    /** Writes the answer file atomically and deletes the journal. */
    void finish(List<Answer> ordered) {
        if (!Files.exists(answers)) {
            AnswerFile.write(answers, ordered);
        }
        try {
            Files.deleteIfExists(part);
        } catch (IOException e) {
            throw new DataException("%s: cannot be deleted (%s)".formatted(part, e.getMessage()), e);
        }
    }

    private Map<AnswerKey, Answer> read(Path file, Set<AnswerKey> questions) {
        Map<AnswerKey, Answer> read = new LinkedHashMap<>();
        JsonFiles.lines(file, JsonFiles.BrokenLines.REFUSE, line -> {
            Answer answer = AnswerFile.parse(line);
            AnswerKey key = AnswerKey.of(answer);
            if (!questions.contains(key)) {
                throw new DataException("%s: question_id %s is not among the questions; delete the file"
                        .formatted(line.where(), answer.id()));
            }
            read.put(key, answer);
        });
        return read;
    }
}
