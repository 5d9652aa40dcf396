package io.llava4j.app.cli;

import io.llava4j.ConfigException;
import io.llava4j.app.data.AssumedSpeed;
import io.llava4j.app.data.StatsPage;
import io.llava4j.app.data.TrainingCost;
import io.llava4j.app.terminal.ProgressLine;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.train.data.DataSets;
import io.llava4j.train.data.LlavaData;
import io.llava4j.train.data.Policy;
import io.llava4j.train.data.SamplePrompts;
import io.llava4j.train.data.check.DataStats;
import io.llava4j.train.data.check.Histogram;
import io.llava4j.train.recipe.TrainConfig;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

/** {@code llava data stats}: statistics of a data set and the cost of training on it. */
@Command(
        name = "stats",
        description =
                "Statistics of a data set: sources, lengths, image sizes, answers, and a recipe's steps and cost.")
final class DataStatsCommand implements Callable<Integer> {
    private static final int TEXT_BINS = 12;
    private static final int BAR = 40;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Mixin
    private DataSetOptions options = new DataSetOptions();

    @Option(names = "--no-images", description = "Do not read the images, which takes the longest.")
    private boolean noImages;

    @Option(names = "--no-pictures", hidden = true, description = "Old name of --no-images.")
    private boolean noPictures;

    @Option(
            names = "--model",
            paramLabel = "DIR",
            description =
                    "Folder with a model's configuration for the cost, if the recipe's model does not exist; weights"
                            + " are not needed.")
    private @Nullable Path model;

    @Option(
            names = "--tflops",
            paramLabel = "N",
            description =
                    "Sustained speed of the machine in 10^12 operations a second, to compute hours (default: by the"
                            + " recipe's device: 0.08 a thread for cpu, 125 for cuda, which is one A100 at 40 %% of its peak).")
    private @Nullable Double teraflops;

    @Option(names = "--price", paramLabel = "N", description = "Price of the machine per hour, to compute the cost.")
    private @Nullable Double price;

    @Option(names = "--html", paramLabel = "OUT", description = "Also write a page with plots.")
    private @Nullable Path html;

    @Option(names = "--json", description = "Print one JSON document instead of text.")
    private boolean json;

    private DataStatsCommand() {}

    @Override
    public Integer call() {
        if (teraflops != null && !(teraflops > 0)) {
            throw new CommandLine.ParameterException(spec.commandLine(), "--tflops must be above 0");
        }
        SamplePrompts prompts = options.prompts();
        try (LlavaData data = options.read(Policy.SKIP, DataSets.Take.EPOCH)) {
            DataStats stats;
            try (ProgressLine progress = ProgressLine.onStderr("counting", "records and images")) {
                stats = DataStats.of(
                        data.records(),
                        prompts,
                        noImages || noPictures ? null : options.images(data),
                        options.views(),
                        Runtime.getRuntime().availableProcessors(),
                        progress::update);
            }
            TrainConfig config = options.config();
            TrainingCost cost = config == null ? null : TrainingCost.of(config, model(), stats);
            AssumedSpeed speed = config == null ? null : AssumedSpeed.of(config, teraflops);
            List<Map.Entry<String, String>> costLines = cost == null || speed == null ? List.of() : lines(cost, speed);
            if (html != null) {
                StatsPage.write(html, data.file(), stats, costLines);
            }
            PrintWriter out = spec.commandLine().getOut();
            if (json) {
                out.println(JsonMapper.builder().build().writeValueAsString(document(data, stats, cost, speed)));
            } else {
                text(out, data, stats, costLines);
            }
            out.flush();
        }
        return CommandLine.ExitCode.OK;
    }

    private @Nullable LlavaConfig model() {
        if (model == null) {
            return options.model();
        }
        if (Checkpoint.kindOf(model) instanceof ModelKind.Llava llava) {
            return llava.config();
        }
        throw new ConfigException("--model %s contains no configuration of a LLaVA model".formatted(model));
    }

    private List<Map.Entry<String, String>> lines(TrainingCost cost, AssumedSpeed speed) {
        List<Map.Entry<String, String>> lines = new ArrayList<>();
        lines.add(Map.entry("steps", "%,d of %,d records".formatted(cost.steps(), cost.samplesPerStep())));
        lines.add(Map.entry("tokens", "%,d".formatted(cost.tokens())));
        if (cost.operations() > 0) {
            double hours = cost.hours(speed.teraflops());
            lines.add(Map.entry("operations", String.format(Locale.ROOT, "%.2e", cost.operations())));
            lines.add(Map.entry(
                    "time",
                    "%s at %s TFLOP/s (%s)".formatted(duration(3600 * hours), speedText(speed), speed.basis())));
            if (price != null) {
                lines.add(Map.entry("cost", String.format(Locale.ROOT, "%.2f", hours * price)));
            }
        }
        return lines;
    }

    private static String speedText(AssumedSpeed speed) {
        return String.format(Locale.ROOT, speed.teraflops() < 10 ? "%.2f" : "%.0f", speed.teraflops());
    }

    private static String duration(double seconds) {
        if (seconds < 3600) {
            return seconds < 60
                    ? String.format(Locale.ROOT, "%.1f seconds", seconds)
                    : String.format(Locale.ROOT, "%.1f minutes", seconds / 60);
        }
        return String.format(Locale.ROOT, "%,.1f hours", seconds / 3600);
    }

    private Map<String, Object> document(
            LlavaData data, DataStats stats, @Nullable TrainingCost cost, @Nullable AssumedSpeed speed) {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("file", data.file().toString());
        document.put("records", stats.records());
        document.put("skipped", data.skipped().size());
        if (!data.parts().isEmpty()) {
            Map<String, Object> sets = new LinkedHashMap<>();
            data.parts().forEach(part -> sets.put(part.name(), part.counts()));
            document.put("data_sets", sets);
        }
        document.put("sources", stats.sources());
        document.put("questions", Histogram.of(stats.questions(), TEXT_BINS));
        document.put("tokens", Histogram.of(stats.lengths(), TEXT_BINS));
        document.put("image_edges", Histogram.of(stats.imageEdges(), TEXT_BINS));
        document.put("bad_images", stats.badImages());
        document.put("record_images", stats.recordImages());
        document.put("image_views", stats.views());
        document.put("supervised_share", stats.supervisedShare());
        document.put("too_long", stats.tooLong());
        document.put("answers", stats.allAnswers());
        document.put("different_answers", stats.differentAnswers());
        document.put("top_answers", stats.answers());
        if (cost != null && speed != null) {
            document.put("steps", cost.steps());
            document.put("training_tokens", cost.tokens());
            document.put("operations", cost.operations());
            document.put("hours", cost.hours(speed.teraflops()));
            document.put("teraflops", speed.teraflops());
            document.put("speed_of", speed.basis());
        }
        return document;
    }

    private static void text(
            PrintWriter out, LlavaData data, DataStats stats, List<Map.Entry<String, String>> costLines) {
        out.printf(
                "%,d records%s%n%n",
                stats.records(),
                data.skipped().isEmpty()
                        ? ""
                        : ", and %,d malformed ones that training leaves out"
                                .formatted(data.skipped().size()));
        data.parts().forEach(part -> out.println(part.sentence()));
        out.printf("%-20s %9s %9s %10s %8s %8s%n", "source", "records", "images", "questions", "tokens", "supervised");
        stats.sources()
                .forEach((name, source) -> out.printf(
                        "%-20s %,9d %,9d %,10d %8s %8s%n",
                        name,
                        source.records(),
                        source.images(),
                        source.questions(),
                        source.tokens() == 0 ? "–" : "%,.0f".formatted((double) source.tokens() / source.records()),
                        source.tokens() == 0
                                ? "–"
                                : "%.1f %%".formatted(100.0 * source.supervised() / source.tokens())));
        histogram(out, "questions of a record", stats.questions());
        if (stats.maxLength() > 0) {
            histogram(out, "tokens of a record, image tokens included", stats.lengths());
            out.printf(
                    "%.1f %% of the tokens are supervised; %,d records are longer than %,d tokens%n",
                    100 * stats.supervisedShare(), stats.tooLong(), stats.maxLength());
        } else {
            out.printf("%nTokens were not counted; give --tokenizer or --recipe.%n");
        }
        histogram(out, "longer edge of an image in pixels", stats.imageEdges());
        if (stats.views() > stats.recordImages()) {
            out.println(stats.viewsSentence());
        }
        if (stats.badImages() > 0) {
            out.printf("%,d images could not be read; data validate lists them%n", stats.badImages());
        }
        out.printf("%nmost frequent of %,d answers (%,d different)%n", stats.allAnswers(), stats.differentAnswers());
        stats.answers().entrySet().stream()
                .limit(10)
                .forEach(answer -> out.printf(
                        "%,9d  %s%n", answer.getValue(), answer.getKey().replace('\n', ' ')));
        if (!costLines.isEmpty()) {
            out.println();
            costLines.forEach(line -> out.printf("%-20s %s%n", line.getKey(), line.getValue()));
        }
    }

    private static void histogram(PrintWriter out, String title, int[] values) {
        Histogram histogram = Histogram.of(values, TEXT_BINS);
        if (histogram.counts().length == 0) {
            return;
        }
        out.printf("%n%s%n", title);
        int highest = 1;
        for (int count : histogram.counts()) {
            highest = Math.max(highest, count);
        }
        for (int i = 0; i < histogram.counts().length; i++) {
            int count = histogram.counts()[i];
            boolean open = histogram.open() && i == histogram.counts().length - 1;
            out.printf(
                    "%,8d%s %s%s%,d%n",
                    i * histogram.width(),
                    open ? "+" : " ",
                    "█".repeat((int) Math.ceil((double) BAR * count / highest)),
                    count > 0 ? " " : "",
                    count);
        }
    }
}
