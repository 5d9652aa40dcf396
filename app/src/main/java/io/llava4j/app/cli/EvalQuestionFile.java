package io.llava4j.app.cli;

import io.llava4j.app.terminal.ProgressLine;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionFile;
import io.llava4j.eval.run.EmbeddedImages;
import io.llava4j.eval.run.EvalRunner;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.LlavaPipeline;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** {@code llava eval --questions}: answers one question file. */
final class EvalQuestionFile {
    @Option(
            names = "--questions",
            required = true,
            paramLabel = "FILE",
            description = "LLaVA's question file: JSON lines of question_id, image and text.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path questions;

    @Option(
            names = "--images",
            paramLabel = "DIR",
            description = "Folder of the images; not needed for questions that hold them, as data URLs or in base64.")
    private @Nullable Path images;

    @Option(
            names = "--answers",
            required = true,
            paramLabel = "FILE",
            description = "Where LLaVA's answers.jsonl is written.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path answers;

    @Option(
            names = "--max-new-tokens",
            paramLabel = "N",
            description = "Longest answer (default: 128; benchmarks have their own).")
    private int maxNewTokens = 128;

    /** Writes the answer file and prints its name. */
    void run(CommandSpec spec, EvalOptions options) {
        if (maxNewTokens < 1) {
            throw new ParameterException(spec.commandLine(), "--max-new-tokens must be 1 or more");
        }
        EmbeddedImages asked = EmbeddedImages.of(QuestionFile.read(questions), images, answers);
        EvalRunner.Job job = new EvalRunner.Job(
                asked.questions(),
                asked.folder(),
                answers,
                GenerationOptions.greedy(maxNewTokens),
                options.batchSize(),
                options.blind(),
                Question::text,
                options.missingImages(),
                "");
        try (LlavaPipeline pipeline = options.model().open();
                ProgressLine progress = ProgressLine.onStderr("answers", "questions")) {
            List<Answer> given = options.runner(pipeline).run(job, progress::update);
            EvalRunner.unusableImages(job).ifPresent(unusable -> warn(spec, unusable.warning()));
            EvalRunner.truncated(given).ifPresent(sentence -> warn(spec, sentence));
        }
        PrintWriter out = spec.commandLine().getOut();
        out.println(answers);
        out.flush();
    }

    private static void warn(CommandSpec spec, String sentence) {
        spec.commandLine().getErr().println("llava: warning: " + sentence);
        spec.commandLine().getErr().flush();
    }
}
