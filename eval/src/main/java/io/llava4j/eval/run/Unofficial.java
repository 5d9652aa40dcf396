package io.llava4j.eval.run;

import io.llava4j.DataException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Questions in a benchmark's files that are not the published ones, such as the nano benchmarks: {@code unofficial.json}
 * beside them says so. No published number is then shown beside a run.
 *
 * @param note what they are, in a sentence or two for the report
 * @param localJudge whether the local judge grades them where no other is named
 */
public record Unofficial(String note, boolean localJudge) {
    /** Name of the file. */
    public static final String FILE = "unofficial.json";

    private static final JsonMapper JSON = JsonMapper.builder().build();

    /**
     * What a benchmark's folder says.
     *
     * @throws DataException if the file is broken
     */
    public static Optional<Unofficial> of(Path folder) {
        Path file = folder.resolve(FILE);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            JsonNode tree = JSON.readTree(file);
            String note = tree.path("note").asString("");
            if (note.isBlank()) {
                throw new DataException(file + ": needs a 'note' that tells what the questions are");
            }
            return Optional.of(
                    new Unofficial(note, tree.path("judge").asString("").equals("local")));
        } catch (JacksonException e) {
            throw new DataException("%s: not valid JSON (%s)".formatted(file, e.getOriginalMessage()), e);
        }
    }
}
