package io.llava4j.eval;

import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.NamedCsvRecord;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a model is reported to score: the tables of the LLaVA-1.5 paper and LLaVA's model zoo (docs/reference/evaluation.md#published-results), as data
 * in {@code published.tsv}.
 *
 * @param model as in the paper
 * @param results by benchmark, or {@code benchmark/number} for parts of it, in the published unit
 */
public record Published(String model, Map<String, Result> results) {
    /**
     * One number.
     *
     * @param value in the published unit
     * @param trained whether the model was trained on the benchmark's training images
     */
    public record Result(double value, boolean trained) {}

    private static final String POPE = "pope";
    private static final List<String> POPE_SPLITS = List.of("pope/random", "pope/popular", "pope/adversarial");

    /** Every model, in the order of the paper. */
    public static List<Published> all() {
        List<Published> all = new ArrayList<>();
        try (InputStream in = Objects.requireNonNull(Published.class.getResourceAsStream("published.tsv"));
                CsvReader<NamedCsvRecord> reader =
                        CsvReader.builder().fieldSeparator('\t').ofNamedCsvRecord(in)) {
            for (NamedCsvRecord row : reader) {
                Map<String, Result> results = new LinkedHashMap<>();
                for (String column : row.getHeader()) {
                    String cell = row.getField(column);
                    if (!column.equals("model") && !cell.isEmpty()) {
                        boolean trained = cell.endsWith("*");
                        results.put(
                                column,
                                new Result(
                                        Double.parseDouble(trained ? cell.substring(0, cell.length() - 1) : cell),
                                        trained));
                    }
                }
                all.add(new Published(row.getField("model"), results));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return all;
    }

    /** The model's number on a benchmark, or null; of POPE also the mean of its three splits. */
    public @Nullable Result on(Benchmark benchmark) {
        Result result = results.get(benchmark.name());
        if (result == null && benchmark.name().equals(POPE) && results.keySet().containsAll(POPE_SPLITS)) {
            double sum = 0;
            for (String split : POPE_SPLITS) {
                sum += Objects.requireNonNull(results.get(split)).value();
            }
            return new Result(sum / POPE_SPLITS.size(), false);
        }
        return result;
    }
}
