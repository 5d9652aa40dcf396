package io.llava4j.app.cli;

import io.llava4j.eval.Vqav2Scorer;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionFile;
import io.llava4j.eval.vqa.VqaFiles;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code llava score vqav2}. */
@Command(name = "vqav2", description = "VQAv2's accuracy against ten human answers, in percent.")
final class ScoreVqav2Command implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(
            names = "--questions",
            required = true,
            paramLabel = "FILE",
            description = "VQAv2's questions (.json), or LLaVA's (.jsonl).")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path questions;

    @Option(names = "--annotations", required = true, paramLabel = "FILE", description = "VQAv2's annotations.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path annotations;

    @Option(names = "--answers", required = true, paramLabel = "FILE", description = "LLaVA's answers.jsonl.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path answers;

    @Option(names = "--json", description = "Print one JSON document instead of a table.")
    private boolean json;

    private ScoreVqav2Command() {}

    @Override
    public Integer call() {
        ScorePrinter.print(spec.commandLine(), json, "vqav2", Vqav2Scorer.score(readQuestions(), annotations, answers));
        return CommandLine.ExitCode.OK;
    }

    private List<Question> readQuestions() {
        if (questions.toString().endsWith(".jsonl")) {
            return QuestionFile.read(questions);
        }
        return VqaFiles.readQuestions(questions).stream()
                .map(question -> new Question(question.id(), null, question.question(), "default"))
                .toList();
    }
}
