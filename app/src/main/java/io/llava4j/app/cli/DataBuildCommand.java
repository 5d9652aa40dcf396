package io.llava4j.app.cli;

import io.llava4j.app.terminal.ProgressLine;
import io.llava4j.app.terminal.StopSignal;
import io.llava4j.train.config.ConfigFile;
import io.llava4j.train.data.mixture.Manifest;
import io.llava4j.train.data.mixture.MixtureBuilder;
import io.llava4j.train.data.mixture.MixtureRecipe;
import io.llava4j.train.data.mixture.Rule;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

/** {@code llava data build}: builds a mixture from raw data sets. */
@Command(name = "build", description = "Build a data mixture from raw data sets by a recipe.")
final class DataBuildCommand implements Callable<Integer> {
    private static final int INTERRUPTED = 130;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Parameters(paramLabel = "RECIPE", arity = "0..1", description = "YAML, for example recipes/data/mix665k.yaml.")
    private @Nullable Path recipe;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "DIR",
            description = "Output folder: data file, manifest, datasheet, list of what was left out.")
    private @Nullable Path output;

    @Option(names = "--raw", paramLabel = "DIR", description = "Folder of the raw files, instead of the recipe's.")
    private @Nullable Path raw;

    @Option(
            names = "--images",
            paramLabel = "DIR",
            description = "Folder of all images; records whose image is missing are left out.")
    private @Nullable Path images;

    @Option(
            names = "--tokenizer",
            paramLabel = "PATH",
            description = "Tokenizer that counts the tokens of shared conversations.")
    private @Nullable Path tokenizer;

    @Option(names = "--seed", paramLabel = "N", description = "Seed, instead of the recipe's.")
    private @Nullable Long seed;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Any key of the recipe; RULE=VALUE and SOURCE.RULE=VALUE set rules.")
    private final Map<String, String> settings = new LinkedHashMap<>();

    @Option(
            names = "--format",
            description = "Format of the data file: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
    private MixtureBuilder.Format format = MixtureBuilder.Format.JSON;

    @Option(names = "--threads", paramLabel = "N", description = "Sources read in parallel (default: all processors).")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "--strict", description = "Exit with 1 if a source has more or fewer records than expected.")
    private boolean strict;

    @Option(names = "--rules", description = "List the rules with their default values and exit.")
    private boolean rules;

    @Option(names = "--json", description = "Print the manifest instead of a table.")
    private boolean json;

    private DataBuildCommand() {}

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        if (rules) {
            printRules(out);
            return CommandLine.ExitCode.OK;
        }
        if (recipe == null || output == null || threads < 1) {
            throw new ParameterException(
                    spec.commandLine(), "name a recipe and, with -o, a folder to build in; --threads is 1 or more");
        }
        MixtureRecipe mixture = MixtureRecipe.load(recipe, overrides());
        Optional<MixtureBuilder.Result> result;
        try (StopSignal stop = new StopSignal(spec.commandLine().getErr(), "the finished sources")) {
            result = MixtureBuilder.build(mixture, output, format, threads, ProgressLine::onStderr, stop);
        }
        if (result.isEmpty()) {
            return INTERRUPTED;
        }
        Manifest manifest = result.get().manifest();
        if (json) {
            out.println(JsonMapper.builder().build().writeValueAsString(manifest));
        } else {
            out.print(MixtureTable.of(manifest));
            out.println(output.resolve(manifest.file())
                    + (result.get().reused() ? " exists already, built from the same files" : ""));
        }
        out.flush();
        return strict && manifest.deviates() ? 1 : CommandLine.ExitCode.OK;
    }

    private static void printRules(PrintWriter out) {
        Arrays.stream(Rule.values())
                .collect(Collectors.groupingBy(Rule::section, LinkedHashMap::new, Collectors.toList()))
                .forEach((section, rules) -> {
                    out.println("docs/reference/data.md#" + section);
                    rules.forEach(rule -> out.printf("  %-24s %-7s %s%n", rule.key(), rule.standard(), rule.meaning()));
                });
        out.flush();
    }

    private Map<String, String> overrides() {
        Map<String, String> all = new LinkedHashMap<>(settings);
        if (raw != null) {
            all.put("raw", ConfigFile.quoted(raw));
        }
        if (images != null) {
            all.put("images", ConfigFile.quoted(images));
        }
        if (tokenizer != null) {
            all.put("tokenizer", ConfigFile.quoted(tokenizer));
        }
        if (seed != null) {
            all.put("seed", seed.toString());
        }
        return all;
    }
}
