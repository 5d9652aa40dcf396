package io.llava4j.app.cli;

import io.llava4j.app.store.ModelStore;
import io.llava4j.app.store.RepoName;
import io.llava4j.app.store.StoredModel;
import java.io.PrintWriter;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

/** {@code llava models}: lists the models that were pulled, and removes them. */
@Command(
        name = "models",
        description = "List the models that were pulled: name, size, date, place; 'models rm' removes one.",
        subcommands = ModelsCommand.Remove.class)
final class ModelsCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(names = "--json", description = "Print one JSON document instead of text.")
    private boolean json;

    private ModelsCommand() {}

    @Override
    public Integer call() {
        ModelStore store = ModelStore.of(System.getenv());
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(JsonMapper.builder().build().writeValueAsString(document(store)));
        } else {
            print(out, store);
        }
        out.flush();
        return CommandLine.ExitCode.OK;
    }

    private static void print(PrintWriter out, ModelStore store) {
        List<StoredModel> models = store.all();
        Map<String, Long> unfinished = store.unfinished();
        if (models.isEmpty() && unfinished.isEmpty()) {
            out.printf("No model was pulled yet; 'llava pull OWNER/NAME' pulls one into %s%n", store.folder());
            return;
        }
        int width = models.stream()
                .mapToInt(model -> model.repo().toString().length())
                .max()
                .orElse(0);
        for (StoredModel model : models) {
            out.printf(
                    "%-" + width + "s  %,8d MB  %s  %s  %s%s%n",
                    model.repo(),
                    model.bytes() / 1_000_000,
                    model.commit().substring(0, Math.min(8, model.commit().length())),
                    model.pulled().atOffset(ZoneOffset.UTC).toLocalDate(),
                    model.folder(),
                    model.asTower() ? "  (vision tower)" : "");
        }
        unfinished.forEach((name, bytes) -> out.printf(
                "%s: %,d MB of an unfinished download; 'llava pull %s' continues it, 'llava models rm %s' removes it%n",
                name, bytes / 1_000_000, name, name));
    }

    private static Map<String, Object> document(ModelStore store) {
        return Map.of(
                "folder",
                store.folder().toString(),
                "models",
                store.all().stream().map(ModelsCommand::fields).toList(),
                "unfinished",
                store.unfinished());
    }

    private static Map<String, Object> fields(StoredModel model) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("repository", model.repo().repository());
        fields.put("revision", model.repo().revisionOrMain());
        fields.put("commit", model.commit());
        fields.put("bytes", model.bytes());
        fields.put("pulled", model.pulled().toString());
        fields.put("path", model.folder().toString());
        fields.put("vision_tower", model.tower() == null ? null : model.tower().repository());
        fields.put("as_vision_tower", model.asTower());
        return fields;
    }

    /** {@code llava models rm}. */
    @Command(
            name = "rm",
            description = "Remove pulled models, a vision tower that only they need, and unfinished downloads of them.")
    static final class Remove implements Callable<Integer> {
        @Spec
        @SuppressWarnings("NullAway.Init") // set by picocli
        private CommandSpec spec;

        @Parameters(arity = "1..*", paramLabel = "OWNER/NAME", description = "As 'llava models' shows them.")
        private List<String> names = List.of();

        private Remove() {}

        @Override
        public Integer call() {
            ModelStore store = ModelStore.of(System.getenv());
            PrintWriter out = spec.commandLine().getOut();
            for (String name : names) {
                RepoName repo = RepoName.parse(name)
                        .orElseThrow(() -> new ParameterException(
                                spec.commandLine(), "'%s' is no name of a repository".formatted(name)));
                out.printf("%s removed, %,d MB freed%n", repo, store.remove(repo) / 1_000_000);
                out.flush();
            }
            return CommandLine.ExitCode.OK;
        }
    }
}
