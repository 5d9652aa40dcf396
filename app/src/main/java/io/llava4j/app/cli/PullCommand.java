package io.llava4j.app.cli;

import io.llava4j.app.store.Hub;
import io.llava4j.app.store.ModelStore;
import io.llava4j.app.store.Pull;
import io.llava4j.app.store.RepoName;
import io.llava4j.app.store.StoredModel;
import io.llava4j.app.terminal.ProgressLine;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code llava pull}: downloads a model from a hub. */
@Command(
        name = "pull",
        description = "Download a model from Hugging Face's hub; -m OWNER/NAME then works in every verb.",
        footer = {
            "",
            "Downloads what a model needs and nothing else, and the vision tower too if the model only names it. A broken"
                    + " download continues when the command runs again. HF_ENDPOINT names another hub, HF_TOKEN a token"
                    + " for private and gated repositories, LLAVA_MODELS another folder for the models."
        })
final class PullCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Parameters(
            paramLabel = "OWNER/NAME",
            description = "The repository, for example llava-hf/llava-1.5-7b-hf; OWNER/NAME@REVISION works too.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private String repository;

    @Option(names = "--revision", paramLabel = "REV", description = "Branch, tag or commit (default: main).")
    private @Nullable String revision;

    @Option(
            names = "--file",
            paramLabel = "NAME",
            description = "Weights to pull where a repository holds several, as those of GGUF do; repeatable.")
    private List<String> files = List.of();

    private PullCommand() {}

    @Override
    public Integer call() {
        PrintWriter err = spec.commandLine().getErr();
        Pull pull = new Pull(ModelStore.of(System.getenv()), Hub.of(System.getenv()), ProgressLine::onStderr, line -> {
            err.println("llava: " + line);
            err.flush();
        });
        StoredModel model = pull.model(repo(), files);
        PrintWriter out = spec.commandLine().getOut();
        out.printf("%s: %,d MB in %s%n", model.repo(), model.bytes() / 1_000_000, model.folder());
        out.flush();
        return CommandLine.ExitCode.OK;
    }

    private RepoName repo() {
        RepoName named = RepoName.parse(repository)
                .orElseThrow(
                        () -> usage("'%s' is no name of a repository; OWNER/NAME is expected".formatted(repository)));
        if (revision == null) {
            return named;
        }
        if (named.revision() != null && !named.revision().equals(revision)) {
            throw usage("two revisions are named, %s and %s".formatted(named.revision(), revision));
        }
        return RepoName.parse(named.repository() + "@" + revision)
                .orElseThrow(() -> usage("'%s' is no name of a revision".formatted(revision)));
    }

    private ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
