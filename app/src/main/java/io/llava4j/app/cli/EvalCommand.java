package io.llava4j.app.cli;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code llava eval}: asks a model the questions of benchmarks or of a file, with greedy decoding. */
@Command(
        name = "eval",
        description =
                "Run a model on benchmarks, or answer a question file. An interrupted run resumes when started again.",
        footer = {
            "",
            "llava eval -m runs/demo/model --tasks all",
            "    runs the nano benchmarks that llava demo wrote.",
            "llava eval -m DIR --tasks all --data DATA --out RUN",
            "    DATA holds a folder for each benchmark (docs/evaluation.md lists the files); RUN gets answers,",
            "    submissions, results.json and report.html.",
            "llava eval -m DIR --questions FILE --images DIR --answers FILE",
            "    answers one of LLaVA's question files."
        })
final class EvalCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Mixin
    private EvalOptions options = new EvalOptions();

    @ArgGroup(exclusive = true, multiplicity = "1")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Mode mode;

    /** Benchmarks or a question file. */
    static final class Mode {
        @ArgGroup(exclusive = false, heading = "Benchmarks:%n")
        private @Nullable EvalTasks tasks;

        @ArgGroup(exclusive = false, heading = "A question file:%n")
        private @Nullable EvalQuestionFile file;
    }

    @Mixin
    private JudgeOptions judge = new JudgeOptions();

    private EvalCommand() {}

    @Override
    public Integer call() {
        options.check(spec);
        if (mode.file != null) {
            mode.file.run(spec, options);
        } else if (mode.tasks != null) {
            mode.tasks.run(spec, options, judge);
        }
        return CommandLine.ExitCode.OK;
    }
}
