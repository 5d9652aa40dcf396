package io.llava4j.app.cli;

import io.llava4j.ConfigException;
import io.llava4j.app.data.ValidationPage;
import io.llava4j.app.terminal.ProgressLine;
import io.llava4j.train.data.DataSets;
import io.llava4j.train.data.LlavaData;
import io.llava4j.train.data.LlavaWriter;
import io.llava4j.train.data.Policy;
import io.llava4j.train.data.SamplePrompts;
import io.llava4j.train.data.check.Cleaning;
import io.llava4j.train.data.check.DataCheck;
import io.llava4j.train.data.check.EvaluationImages;
import io.llava4j.train.data.check.Finding;
import io.llava4j.train.data.check.Sources;
import io.llava4j.train.data.format.ExtraFields;
import io.llava4j.train.data.format.Images;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code llava data validate}: reads a data set as training does, with its images. */
@Command(
        name = "validate",
        description = "Check a data set and all its images: format, lengths, duplicates, leaked evaluation images.")
final class DataValidateCommand implements Callable<Integer> {
    private static final int SHOWN = 20;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Mixin
    private DataSetOptions options = new DataSetOptions();

    @Option(
            names = "--policy",
            description = "skip lists every record that would be left out, fail stops at the first malformed one"
                    + " (default: ${DEFAULT-VALUE}).")
    private Policy policy = Policy.SKIP;

    @Option(
            names = "--against",
            paramLabel = "PATH",
            description = "Evaluation images that must not be in the data: a folder of images, or a file that names"
                    + " them, such as a question file; repeatable.")
    private List<Path> against = new ArrayList<>();

    @Option(
            names = "--expect",
            paramLabel = "SOURCE=N",
            description = "Expected number of records of a source (first folder of its images, or text); repeatable."
                    + " mix665k stands for the counts of LLaVA-1.5's mixture.")
    private List<String> expect = new ArrayList<>();

    @Option(
            names = "--fix",
            paramLabel = "OUT",
            description =
                    "Write a copy without the records that have findings: OUT.json, OUT.jsonl or a folder of shards;"
                            + " and a list of what was left out.")
    private @Nullable Path fix;

    @Option(names = "--keep-duplicates", description = "Let --fix keep duplicates.")
    private boolean keepDuplicates;

    @Option(names = "--html", paramLabel = "OUT", description = "Also write the report as a page.")
    private @Nullable Path html;

    @Option(names = "--json", description = "Print one JSON document instead of text.")
    private boolean json;

    private DataValidateCommand() {}

    @Override
    public Integer call() {
        SequencedMap<String, Integer> expected = expected();
        int threads = Runtime.getRuntime().availableProcessors();
        SamplePrompts prompts = options.prompts();
        try (LlavaData data = options.read(policy, DataSets.Take.ALL)) {
            if (fix != null && !data.parts().isEmpty()) {
                throw new ParameterException(
                        spec.commandLine(),
                        "--fix writes one data set, and the recipe has several; name the file of one");
            }
            Images images = options.images(data);
            EvaluationImages evaluation = null;
            if (!against.isEmpty()) {
                try (ProgressLine progress = ProgressLine.onStderr("evaluation", "images")) {
                    evaluation = EvaluationImages.read(against, threads, progress::update);
                }
            }
            DataCheck.Result result;
            try (ProgressLine progress = ProgressLine.onStderr("images", "images")) {
                result = DataCheck.run(data, images, prompts, options.views(), evaluation, threads, progress::update);
            }
            Cleaning cleaning = fix == null ? null : Cleaning.of(data, result, prompts, keepDuplicates);
            if (fix != null && cleaning != null) {
                write(fix, cleaning, ExtraFields.of(data.file()), images);
            }
            if (html != null) {
                ValidationPage.write(html, data.file(), result, expected);
            }
            print(result, sets(data), expected, cleaning);
            return result.hasErrors() ? 1 : 0;
        }
    }

    private static void write(Path target, Cleaning cleaning, ExtraFields extra, Images images) {
        if (cleaning.kept().isEmpty()) {
            throw new ConfigException("no record without a finding is left to write to " + target);
        }
        IntFunction<Map<String, JsonNode>> fields =
                position -> extra.of(cleaning.indices().get(position));
        if (LlavaWriter.Form.of(target) == LlavaWriter.Form.SHARDS) {
            try (ProgressLine progress = ProgressLine.onStderr("writing", "records")) {
                LlavaWriter.writeShards(
                        target, cleaning.kept(), fields, images, LlavaWriter.SHARD_BYTES, progress::update);
            }
        } else {
            LlavaWriter.write(target, cleaning.kept(), fields);
        }
        cleaning.writeChanges(target.resolveSibling(target.getFileName() + ".left-out.jsonl"));
    }

    private SequencedMap<String, Integer> expected() {
        SequencedMap<String, Integer> expected = new LinkedHashMap<>();
        for (String one : expect) {
            int equals = one.lastIndexOf('=');
            try {
                if (one.equals("mix665k")) {
                    expected.putAll(Sources.MIX665K);
                } else {
                    expected.put(one.substring(0, Math.max(0, equals)), Integer.parseInt(one.substring(equals + 1)));
                }
            } catch (NumberFormatException e) {
                throw new ParameterException(
                        spec.commandLine(), "--expect takes SOURCE=N or mix665k, not '" + one + "'", e);
            }
        }
        return expected;
    }

    /** Usable records of each of several data sets. */
    private static SequencedMap<String, Integer> sets(LlavaData data) {
        SequencedMap<String, Integer> sets = new LinkedHashMap<>();
        data.parts().forEach(part -> sets.put(part.name(), part.data().records().size()));
        return sets;
    }

    private void print(
            DataCheck.Result result,
            SequencedMap<String, Integer> sets,
            SequencedMap<String, Integer> expected,
            @Nullable Cleaning cleaning) {
        Map<Finding.Kind, Long> found = result.counts();
        Map<String, Long> counts = new LinkedHashMap<>();
        counts.put("records", (long) result.records());
        if (result.joined() > 0) {
            counts.put("rows_joined_to_records", (long) result.joined());
        }
        counts.put("text_only", (long) result.textOnly());
        counts.put("images", (long) result.images());
        for (Finding.Kind kind : Finding.Kind.values()) {
            boolean checked = switch (kind) {
                case LEAK, LEAK_BY_NAME -> result.evaluationImages() > 0;
                case TOO_LONG, NOTHING_SUPERVISED -> result.lengthsChecked();
                default -> true;
            };
            if (checked) {
                counts.put(kind.title().replace(' ', '_'), found.getOrDefault(kind, 0L));
            }
        }
        counts.put("leading_answers_dropped", (long) result.leadingAnswersDropped());
        if (result.systemPrompts() > 0) {
            counts.put("records_with_their_own_system_prompt", (long) result.systemPrompts());
        }
        if (cleaning != null) {
            counts.put("records_written", (long) cleaning.kept().size());
        }
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            Map<String, Object> document = new LinkedHashMap<>(counts);
            if (!sets.isEmpty()) {
                document.put("data_sets", sets);
            }
            document.put("sources", result.sources());
            document.put("expected", expected);
            document.put(
                    "problems",
                    result.findings().stream().map(DataValidateCommand::problem).toList());
            out.println(JsonMapper.builder().build().writeValueAsString(document));
        } else {
            text(out, result, counts, expected);
            sets.forEach((name, records) -> out.printf("%8d  usable records of data set %s%n", records, name));
        }
        out.flush();
    }

    private static Map<String, Object> problem(Finding finding) {
        Map<String, Object> problem = new LinkedHashMap<>();
        problem.put("kind", finding.kind().name().toLowerCase(Locale.ROOT));
        problem.put("error", finding.kind().isError());
        problem.put("file", finding.record().file());
        problem.put("index", finding.record().index());
        problem.put("id", finding.record().id());
        problem.put("reason", finding.record().reason());
        return problem;
    }

    private void text(
            PrintWriter out,
            DataCheck.Result result,
            Map<String, Long> counts,
            SequencedMap<String, Integer> expected) {
        result.counts().forEach((kind, count) -> {
            result.findings().stream()
                    .filter(finding -> finding.kind() == kind)
                    .limit(SHOWN)
                    .forEach(finding -> out.println((kind.isError() ? "" : "warning: ")
                            + finding.record().message()));
            if (count > SHOWN) {
                out.printf("… and %,d more %s%n", count - SHOWN, kind.title());
            }
        });
        counts.forEach((name, count) -> out.printf("%8d  %s%n", count, name.replace('_', ' ')));
        if (!expected.isEmpty()) {
            out.printf("%n%-20s %9s %9s %9s%n", "source", "records", "expected", "differs");
            SequencedMap<String, Integer> all = new LinkedHashMap<>(result.sources());
            expected.keySet().forEach(source -> all.putIfAbsent(source, 0));
            all.forEach((source, count) -> {
                Integer wanted = expected.get(source);
                out.printf(
                        "%-20s %9d %9s %9s%n",
                        source,
                        count,
                        wanted == null ? "–" : wanted,
                        wanted == null ? "–" : "%+d".formatted(count - wanted));
            });
        }
        if (!result.lengthsChecked()) {
            out.println("The length of sequences was not checked; give --tokenizer or --recipe.");
        }
    }
}
