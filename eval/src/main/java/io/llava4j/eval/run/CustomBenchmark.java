package io.llava4j.eval.run;

import io.llava4j.DataException;
import io.llava4j.eval.Benchmark;
import io.llava4j.generate.GenerationOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A benchmark's files with questions of one's own, such as the nano benchmarks. {@code unofficial.json} beside them declares
 * it, and no published number is then shown beside a run.
 *
 * @param note what they are, in a sentence or two for the report
 * @param localJudge whether the local judge grades them if no other is named
 * @param maxNewTokens longest answer where the benchmark allows more; 0 for the benchmark's own limit
 */
public record CustomBenchmark(String note, boolean localJudge, int maxNewTokens) {
    /** Name of the file. */
    public static final String FILE = "unofficial.json";

    private static final JsonMapper JSON = JsonMapper.builder().build();

    /**
     * Reads the declaration of a benchmark's folder; empty for the published questions.
     *
     * @throws DataException if the file is broken
     */
    public static Optional<CustomBenchmark> of(Path folder) {
        Path file = folder.resolve(FILE);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            JsonNode tree = JSON.readTree(file);
            String note = tree.path("note").asString("");
            if (note.isBlank()) {
                throw new DataException(file + ": needs a 'note' that says what the questions are");
            }
            return Optional.of(new CustomBenchmark(
                    note,
                    tree.path("judge").asString("").equals("local"),
                    tree.path("max_new_tokens").asInt(0)));
        } catch (JacksonException e) {
            throw new DataException("%s: not valid JSON (%s)".formatted(file, e.getOriginalMessage()), e);
        }
    }

    /** Decoding for a benchmark's questions in a folder: its own limit, or a lower one that the folder declares. */
    public static GenerationOptions decoding(Benchmark benchmark, Path folder) {
        return of(folder)
                .map(CustomBenchmark::maxNewTokens)
                .filter(limit -> limit > 0 && limit < benchmark.promptStyle().maxNewTokens())
                .map(GenerationOptions::greedy)
                .orElseGet(benchmark::decoding);
    }
}
