package io.llava4j.eval;

import io.llava4j.ConfigException;
import io.llava4j.generate.GenerationOptions;
import java.util.List;

/**
 * A benchmark as data: how a question is put, how long an answer may be, how answers are scored. Adding one is one record
 * and one {@link Scorer}.
 *
 * @param name as given on the command line
 * @param title as printed
 * @param responseFormat the line that follows a question; empty for none (spec/evaluation 1)
 * @param maxNewTokens longest answer; 128 for short answers, 1024 for long ones
 * @param scorer equal to the official code
 */
public record Benchmark(String name, String title, String responseFormat, int maxNewTokens, Scorer scorer) {
    /** The line that asks for a short answer. */
    public static final String SHORT_ANSWER = "Answer the question using a single word or phrase.";

    /** VQAv2: accuracy against ten human answers. */
    public static final Benchmark VQAV2 = new Benchmark("vqav2", "VQAv2", SHORT_ANSWER, 128, new Vqav2Scorer());

    /** POPE: is an object there, yes or no. */
    public static final Benchmark POPE = new Benchmark("pope", "POPE", SHORT_ANSWER, 128, new PopeFolderScorer());

    /** Every benchmark there is. */
    public static List<Benchmark> all() {
        return List.of(VQAV2, POPE);
    }

    /** @throws ConfigException naming the known ones */
    public static Benchmark named(String name) {
        return all().stream()
                .filter(benchmark -> benchmark.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new ConfigException("no benchmark is called '%s'; there are %s"
                        .formatted(name, all().stream().map(Benchmark::name).toList())));
    }

    /** The text sent after {@code <image>\n}. */
    public String render(String question) {
        return responseFormat.isEmpty() ? question : question + "\n" + responseFormat;
    }

    /** Greedy decoding with the benchmark's limit. */
    public GenerationOptions decoding() {
        return GenerationOptions.greedy(maxNewTokens);
    }
}
