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
 * Questions in a benchmark's files that are not the published ones, such as the nano benchmarks: {@code unofficial.json}
 * beside them says so. No published number is then shown beside a run.
 *
 * @param note what they are, in a sentence or two for the report
 * @param localJudge whether the local judge grades them where no other is named
 * @param maxNewTokens longest answer where the benchmark allows more; 0 for the benchmark's own limit
 */
public record CustomBenchmark(String note, boolean localJudge, int maxNewTokens) {
    /** Name of the file. */
    public static final String FILE = "unofficial.json";

    private static final JsonMapper JSON = JsonMapper.builder().build();

    /**
     * What a benchmark's folder says.
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
                throw new DataException(file + ": needs a 'note' that tells what the questions are");
            }
            return Optional.of(new CustomBenchmark(
                    note,
                    tree.path("judge").asString("").equals("local"),
                    tree.path("max_new_tokens").asInt(0)));
        } catch (JacksonException e) {
            throw new DataException("%s: not valid JSON (%s)".formatted(file, e.getOriginalMessage()), e);
        }
    }

    /** How a benchmark's questions in a folder are decoded: with its own limit, or a lower one that the folder names. */
    public static GenerationOptions decoding(Benchmark benchmark, Path folder) {
        return of(folder)
                .map(CustomBenchmark::maxNewTokens)
                .filter(limit -> limit > 0 && limit < benchmark.promptStyle().maxNewTokens())
                .map(GenerationOptions::greedy)
                .orElseGet(benchmark::decoding);
    }
}
