package io.llava4j.app.cli;

import io.llava4j.eval.run.Judge;
import io.llava4j.eval.transport.OpenAiJudge;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Options of the judge, which LLaVA-Bench and MM-Vet require and MMBench may use. */
final class JudgeOptions {
    private static final String LOCAL = "local";
    private static final Duration FIRST_PAUSE = Duration.ofSeconds(2);
    private static final Duration TIMEOUT = Duration.ofMinutes(2);
    private static final int RETRIES = 6;

    @Option(
            names = "--judge",
            paramLabel = "URL",
            description =
                    "Judge for LLaVA-Bench, MM-Vet and MMBench: the address of an OpenAI-compatible API such as"
                            + " https://host/v1, or 'local' for a rule that compares words (the default of nano"
                            + " benchmarks). Without it, requests are written to files, and MMBench is scored by its rules alone.")
    private @Nullable String judge;

    @Option(
            names = "--judge-model",
            paramLabel = "NAME",
            description = "Model to ask (default: the one each benchmark was published with).")
    private @Nullable String model;

    @Option(
            names = "--judge-key",
            paramLabel = "VARIABLE",
            description = "Environment variable that holds the key (default: ${DEFAULT-VALUE}).")
    private String key = "OPENAI_API_KEY";

    @Option(
            names = "--judge-requests",
            paramLabel = "N",
            description = "Send at most N requests in this run, including retries; 0 for no limit.")
    private long requests;

    @Option(
            names = "--judge-tokens",
            paramLabel = "N",
            description = "Stop sending after N tokens of prompts and replies; 0 for no limit.")
    private long tokens;

    @Option(
            names = "--judge-replies",
            paramLabel = "FILE",
            description = "Replies to the requests that an earlier run wrote: JSON lines of id and reply, or the output"
                    + " of OpenAI's batch API.")
    private @Nullable Path replies;

    /** The judge that was chosen. */
    Judge judge(CommandSpec spec) {
        if (judge == null) {
            return new Judge(model == null ? "the published judge" : model, model, null, replies);
        }
        if (replies != null) {
            throw new ParameterException(spec.commandLine(), "--judge and --judge-replies cannot be combined");
        }
        if (judge.equals(LOCAL)) {
            return Judge.local();
        }
        URI url;
        try {
            url = URI.create(judge);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--judge '%s' is not an address".formatted(judge), e);
        }
        String name = model == null ? "the published judge" : model;
        return new Judge(
                name,
                model,
                new OpenAiJudge(new OpenAiJudge.Settings(
                        url, model, System.getenv(key), RETRIES, FIRST_PAUSE, TIMEOUT, requests, tokens)),
                null);
    }
}
