package io.llava4j.app.cli;

import io.llava4j.CheckpointException;
import io.llava4j.app.inspect.MemoryEstimate;
import io.llava4j.app.inspect.PartSizes;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.ModelMemory;
import io.llava4j.checkpoint.ModelParts;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.generate.PackedWeights;
import io.llava4j.io.KebabCase;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

/** {@code llava inspect}: describes a checkpoint; reads headers only. */
@Command(name = "inspect", description = "Describe a checkpoint: parts, parameters, types, configuration, memory.")
final class InspectCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Parameters(
            paramLabel = "PATH",
            converter = ModelPath.OrNew.class,
            description = "A model folder, a safetensors file or a GGUF file.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path path;

    @Option(names = "--tensors", description = "Also list every tensor.")
    private boolean tensors;

    @Option(names = "--check", description = "Also read all weights and name the tensors with NaN or infinity.")
    private boolean check;

    @ArgGroup(exclusive = false, heading = "Random weights:%n")
    private @Nullable RandomModelOptions random;

    @Option(names = "--json", description = "Print one JSON document instead of a table.")
    private boolean json;

    private InspectCommand() {}

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        if (random != null) {
            random.write(path);
        }
        try (Checkpoint checkpoint = Checkpoint.open(path)) {
            String problem = problem(checkpoint);
            if (json) {
                out.println(JsonMapper.builder().build().writeValueAsString(document(checkpoint, problem)));
            } else {
                print(out, checkpoint, problem);
            }
            out.flush();
            return problem == null ? 0 : 1;
        }
    }

    /**
     * Packed weights beside the model.
     *
     * @param current whether they are those of the model's files as they are now
     */
    private record Packed(String file, long bytes, boolean current) {
        String describe() {
            return String.format(
                    Locale.ROOT,
                    "packed weights for --packed: %s, %.2f GB%s",
                    file,
                    bytes / 1e9,
                    current ? "" : ", of other files or older ones; the next start with --packed writes them again");
        }
    }

    private @Nullable Packed packed(Checkpoint checkpoint) {
        Path file = ModelParts.packedBeside(path);
        return Files.isRegularFile(file)
                ? new Packed(file.toString(), file.toFile().length(), PackedWeights.isCurrent(file, checkpoint.files()))
                : null;
    }

    private @Nullable String problem(Checkpoint checkpoint) {
        try {
            checkpoint.requireComplete();
            requireTokenizer(checkpoint);
        } catch (CheckpointException e) {
            return e.getMessage();
        }
        List<String> damaged = check ? checkpoint.notFinite() : List.of();
        return damaged.isEmpty() ? null : "NaN or infinity in %d tensors: %s".formatted(damaged.size(), damaged);
    }

    /** A whole model is loaded with its tokenizer; one without any can still be trained or get one. */
    private static void requireTokenizer(Checkpoint checkpoint) {
        if (checkpoint.kind() instanceof ModelKind.Llava llava) {
            int rows = llava.config().text().vocabSize();
            checkpoint
                    .tokenizer()
                    .filter(tokenizer -> tokenizer.vocabSize() > rows)
                    .ifPresent(tokenizer -> {
                        throw new CheckpointException("the tokenizer has %d pieces but the embedding table only %d rows"
                                .formatted(tokenizer.vocabSize(), rows));
                    });
        }
    }

    private static boolean cannotAnswer(Checkpoint checkpoint) {
        return checkpoint.kind() instanceof ModelKind.Llava
                && checkpoint.tokenizer().isEmpty();
    }

    private static String completeness(Checkpoint checkpoint) {
        return cannotAnswer(checkpoint)
                ? "weights are complete, but there is no tokenizer; add its files before you ask the model"
                : "complete: all tensors of the configuration are present";
    }

    private void print(PrintWriter out, Checkpoint checkpoint, @Nullable String problem) {
        out.println(path + ": " + checkpoint.describe());
        out.println(problem == null ? completeness(checkpoint) : problem);
        out.println();
        PartSizes.print(out, checkpoint);
        if (checkpoint.kind() instanceof ModelKind.Llava) {
            out.println(ModelMemory.of(checkpoint).describe());
        }
        Packed packed = packed(checkpoint);
        if (packed != null) {
            out.println(packed.describe());
        }
        out.println();
        estimate(checkpoint.kind()).ifPresent(estimate -> print(out, estimate));
        configuration(checkpoint.kind()).forEach((part, values) -> {
            out.println(part + ":");
            fields(values).forEach((name, value) -> out.printf("  %-24s %s%n", name, value));
        });
        if (tensors) {
            out.println();
            checkpoint
                    .tensors()
                    .forEach((name, tensor) ->
                            out.printf("%-5s %-16s %s%n", tensor.storedType(), Arrays.toString(tensor.shape()), name));
        }
    }

    private Map<String, Object> document(Checkpoint checkpoint, @Nullable String problem) {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("path", path.toString());
        document.put("description", checkpoint.describe());
        document.put("layout", KebabCase.of(checkpoint.layout()));
        document.put("complete", problem == null);
        document.put(
                "tokenizer",
                problem == null && checkpoint.kind() instanceof ModelKind.Llava && !cannotAnswer(checkpoint));
        if (problem != null) {
            document.put("problem", problem);
        }
        document.put("parts", PartSizes.of(checkpoint));
        if (checkpoint.kind() instanceof ModelKind.Llava) {
            document.put("inferenceMemory", ModelMemory.of(checkpoint));
        }
        Packed packed = packed(checkpoint);
        if (packed != null) {
            document.put("packed", packed);
        }
        estimate(checkpoint.kind()).ifPresent(estimate -> document.put("memory", estimate));
        document.put("config", configuration(checkpoint.kind()));
        document.put("ignored", checkpoint.ignored());
        if (tensors) {
            List<Map<String, Object>> list = new ArrayList<>();
            checkpoint.tensors().forEach((name, tensor) -> {
                Map<String, Object> fields = new LinkedHashMap<>();
                fields.put("name", name);
                fields.put("dtype", tensor.storedType());
                fields.put("shape", tensor.shape());
                list.add(fields);
            });
            document.put("tensors", list);
        }
        return document;
    }

    private static Optional<MemoryEstimate> estimate(ModelKind kind) {
        return kind instanceof ModelKind.Llava llava
                ? Optional.of(MemoryEstimate.of(llava.config()))
                : Optional.empty();
    }

    private static void print(PrintWriter out, MemoryEstimate estimate) {
        out.printf(Locale.ROOT, "estimated memory in GB for one sequence of %,d tokens%n", estimate.tokens());
        out.printf(row(5), "inference", "weights", "KV cache", "working", "total");
        for (MemoryEstimate.Inference row : estimate.inference()) {
            out.printf(
                    row(5),
                    row.precision(),
                    giga(row.weights()),
                    giga(row.cache()),
                    giga(row.working()),
                    giga(row.total()));
        }
        out.printf(row(6), "training", "weights", "gradients", "moments", "activations", "total");
        for (MemoryEstimate.Training row : estimate.training()) {
            out.printf(
                    row(6),
                    row.stage(),
                    giga(row.weights()),
                    giga(row.gradients()),
                    giga(row.moments()),
                    giga(row.activations()),
                    giga(row.total()));
        }
        out.println();
    }

    private static String row(int columns) {
        return "%-26s" + " %11s".repeat(columns - 1) + "%n";
    }

    private static String giga(long bytes) {
        return String.format(Locale.ROOT, "%.2f", bytes / 1e9);
    }

    /** The configuration by part, as records or maps. */
    private static Map<String, Object> configuration(ModelKind kind) {
        Map<String, Object> parts = new LinkedHashMap<>();
        switch (kind) {
            case ModelKind.Llava llava -> {
                parts.put(PartSizes.TOWER, llava.config().vision());
                parts.put(PartSizes.LANGUAGE_MODEL, llava.config().text());
                Map<String, Object> model = fields(llava.config());
                model.keySet().removeAll(List.of("vision", "text", "visionTokens"));
                model.put("tokensPerImage", llava.config().tokensPerImage());
                if (llava.config().viewsPerImage() > 1) {
                    model.put("minTokensPerImage", llava.config().minTokensPerImage());
                    model.put("viewsPerImage", llava.config().viewsPerImage());
                }
                parts.put("model", model);
            }
            case ModelKind.Clip clip -> parts.put(PartSizes.TOWER, clip.vision());
            case ModelKind.Llama llama -> parts.put(PartSizes.LANGUAGE_MODEL, llama.text());
            case ModelKind.Projector projector -> parts.put(PartSizes.PROJECTOR, projector);
        }
        return parts;
    }

    @SuppressWarnings("unchecked") // a record or a map becomes an object with named fields
    private static Map<String, Object> fields(Object value) {
        return JsonMapper.builder().build().convertValue(value, LinkedHashMap.class);
    }
}
