package io.llava4j.eval.run;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.AnswerFile;
import io.llava4j.eval.format.JsonFiles;
import io.llava4j.io.ResumableFile;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Keeps the answers of a running evaluation in a {@link ResumableFile}. */
final class AnswerJournal {
    private final ResumableFile file;

    AnswerJournal(Path answers, RunManifest manifest) {
        this.file = new ResumableFile(answers, manifest.json());
    }

    /**
     * Answers of an earlier run with the same manifest; an incomplete last line, left by a kill, is removed.
     *
     * @throws ConfigException if the files belong to another run
     */
    Map<AnswerKey, Answer> resume(Set<AnswerKey> questions) {
        Path earlier = file.resume();
        return earlier == null ? new LinkedHashMap<>() : read(earlier, questions);
    }

    void append(List<Answer> batch) {
        StringBuilder lines = new StringBuilder();
        batch.forEach(answer -> lines.append(AnswerFile.render(answer)).append('\n'));
        file.append(lines.toString());
    }

    /** Goes on from these answers alone, also where the answer file was complete. */
    void rewrite(Collection<Answer> kept) {
        AnswerFile.write(file.part(), List.copyOf(kept));
        file.reopen();
    }

    /** Writes the answer file atomically and deletes the journal. */
    void finish(List<Answer> ordered) {
        if (!file.isComplete()) {
            AnswerFile.write(file.file(), ordered);
        }
        file.finish();
    }

    private static Map<AnswerKey, Answer> read(Path file, Set<AnswerKey> questions) {
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
