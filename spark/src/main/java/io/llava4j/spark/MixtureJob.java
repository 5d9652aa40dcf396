package io.llava4j.spark;

import io.llava4j.app.cli.BuildInfo;
import io.llava4j.train.data.mixture.Manifest;
import io.llava4j.train.data.mixture.MixtureRecipe;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

/** The main class for {@code spark-submit}: {@code llava data build} on a cluster. */
@Command(
        name = "spark-submit llava4j-spark.jar",
        mixinStandardHelpOptions = true,
        versionProvider = BuildInfo.class,
        description = "Build a data mixture from raw data sets by a recipe, on a Spark cluster.")
public final class MixtureJob implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Parameters(paramLabel = "RECIPE", description = "YAML, for example recipes/data/mix665k.yaml.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path recipe;

    @Option(
            names = {"-o", "--output"},
            required = true,
            paramLabel = "DIR",
            description = "Output folder, on a file system that all machines see.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path output;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Any key of the recipe, such as raw, images, tokenizer or seed; RULE=VALUE and"
                    + " SOURCE.RULE=VALUE set rules.")
    private final Map<String, String> settings = new LinkedHashMap<>();

    @Option(names = "--shards", paramLabel = "N", description = "Number of files (default: ${DEFAULT-VALUE}).")
    private int shards = 16;

    @Option(
            names = "--partitions",
            paramLabel = "N",
            description =
                    "Partitions of the stages in between (default: four for each processor); does not change the result.")
    private int partitions;

    private MixtureJob() {}

    @Override
    public Integer call() {
        if (shards < 1 || shards > 100_000 || partitions < 0) {
            throw new ParameterException(
                    spec.commandLine(), "--shards is between 1 and 100000, --partitions is positive");
        }
        MixtureRecipe mixture = MixtureRecipe.load(recipe, settings);
        SparkConf conf = new SparkConf()
                .setAppName("llava data build " + mixture.name())
                // The stages exchange records, which Spark's other serializer cannot create.
                .set("spark.serializer", "org.apache.spark.serializer.JavaSerializer");
        try (JavaSparkContext spark = new JavaSparkContext(conf)) {
            Manifest manifest = SparkMixture.build(
                    spark,
                    mixture,
                    output,
                    new SparkMixture.Options(shards, partitions == 0 ? 4 * spark.defaultParallelism() : partitions),
                    line -> spec.commandLine().getErr().println("llava: " + line));
            spec.commandLine().getOut().println(JsonMapper.builder().build().writeValueAsString(manifest));
        }
        return CommandLine.ExitCode.OK;
    }

    /** The command line. */
    static CommandLine commandLine() {
        return JobCommand.of(new MixtureJob());
    }

    /** Builds the mixture and prints the manifest; the exit code is 0 on success. */
    public static void main(String[] args) {
        JobCommand.run(commandLine(), args);
    }
}
