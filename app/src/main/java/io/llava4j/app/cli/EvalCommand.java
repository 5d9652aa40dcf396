package io.llava4j.app.cli;

import io.llava4j.app.terminal.ProgressLine;
import io.llava4j.eval.EvalRunner;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionFile;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.image.ImageDecoder;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code llava eval}: puts the questions of a file to a model, greedily. */
@Command(
        name = "eval",
        description = "Answer a question file with a model; started again, it goes on where it was stopped.")
final class EvalCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Option(
            names = "--questions",
            required = true,
            paramLabel = "FILE",
            description = "LLaVA's question file: JSON lines of question_id, image and text.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path questions;

    @Option(names = "--images", required = true, paramLabel = "DIR", description = "Folder of the pictures.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path images;

    @Option(
            names = "--answers",
            required = true,
            paramLabel = "FILE",
            description = "Where LLaVA's answers.jsonl is written.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path answers;

    @Option(
            names = "--batch-size",
            paramLabel = "N",
            description = "Questions at once; changes the speed, not the answers (default: ${DEFAULT-VALUE}).")
    private int batchSize = 32;

    @Option(names = "--max-new-tokens", paramLabel = "N", description = "Longest answer (default: ${DEFAULT-VALUE}).")
    private int maxNewTokens = 128;

    @Option(names = "--blind", description = "Replace every picture by a blank one.")
    private boolean blind;

    @Option(
            names = "--model-id",
            paramLabel = "NAME",
            description = "Name in the answer file (default: the folder's name and a fingerprint of its weights).")
    private @Nullable String modelId;

    private EvalCommand() {}

    @Override
    public Integer call() {
        if (batchSize < 1 || maxNewTokens < 1) {
            throw new ParameterException(spec.commandLine(), "--batch-size and --max-new-tokens must be 1 or more");
        }
        List<Question> asked = QuestionFile.read(questions);
        EvalRunner.Job job =
                new EvalRunner.Job(asked, images, answers, GenerationOptions.greedy(maxNewTokens), batchSize, blind);
        String name = modelId == null ? ModelId.of(model.directory()) : modelId;
        try (LlavaPipeline pipeline = model.open();
                ProgressLine progress = ProgressLine.onStderr("answers", "questions")) {
            new EvalRunner(pipeline, name, ImageDecoder::decode).run(job, progress::update);
        }
        PrintWriter out = spec.commandLine().getOut();
        out.println(answers);
        out.flush();
        return CommandLine.ExitCode.OK;
    }
}
