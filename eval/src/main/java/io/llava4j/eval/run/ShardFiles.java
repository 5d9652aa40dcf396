package io.llava4j.eval.run;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.AnswerFile;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Finds the answers of finished shards. */
final class ShardFiles {
    private static final Pattern NAME = Pattern.compile(".*\\.(\\d{1,6})-of-(\\d{1,6})(?:\\.[^.]*)?");

    private static final List<String> NOT_ANSWERS = List.of(".part", ".manifest.json", ImageLedger.ENDING);

    private ShardFiles() {}

    /**
     * Answers of all finished shards of a job that lie beside its answer file, in the order of the files.
     *
     * @param ledger receives what the shards know of their images
     * @throws ConfigException if a shard belongs to another run
     */
    static List<Answer> finished(EvalRunner.Job job, String modelId, ImageLedger ledger) {
        List<Answer> answers = new ArrayList<>();
        for (Path file : beside(job.answers())) {
            Matcher name = NAME.matcher(file.getFileName().toString());
            if (!name.matches()) {
                continue;
            }
            Shard shard = new Shard(Integer.parseInt(name.group(1)), Integer.parseInt(name.group(2)));
            if (!shard.file(job.answers()).getFileName().equals(file.getFileName())) {
                continue;
            }
            String wanted = RunManifest.of(job.part(shard), modelId).json();
            try {
                if (!Files.readString(AnswerJournal.manifestOf(file)).strip().equals(wanted)) {
                    throw new ConfigException(
                            "%s belongs to a run with another model, other questions or other decoding; delete it or write elsewhere"
                                    .formatted(file));
                }
            } catch (IOException e) {
                throw new DataException(
                        "%s: its manifest cannot be read (%s); copy it along with the answers, or delete the file"
                                .formatted(file, e.getMessage()),
                        e);
            }
            answers.addAll(AnswerFile.read(file));
            ledger.adopt(ImageLedger.of(file));
        }
        return answers;
    }

    private static List<Path> beside(Path answers) {
        Path folder = answers.toAbsolutePath().getParent();
        List<Path> files = new ArrayList<>();
        if (folder != null && Files.isDirectory(folder)) {
            try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder, "*-of-*")) {
                stream.forEach(file -> {
                    if (NOT_ANSWERS.stream().noneMatch(file.toString()::endsWith)) {
                        files.add(file);
                    }
                });
            } catch (IOException e) {
                throw new DataException("%s: cannot be listed (%s)".formatted(folder, e.getMessage()), e);
            }
        }
        files.sort(null);
        return files;
    }
}
