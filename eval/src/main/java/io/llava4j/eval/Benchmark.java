package io.llava4j.eval;

import io.llava4j.DataException;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.judge.JudgeSpec;
import io.llava4j.eval.score.BenchmarkFilePatterns;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.GroundTruth;
import io.llava4j.eval.score.QuestionSource;
import io.llava4j.eval.score.Scorer;
import io.llava4j.eval.score.Submission;
import io.llava4j.generate.GenerationOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A benchmark as data: its files, prompt, questions, ground truth, scorer, judge and submission. {@link Benchmarks} lists
 * all of them.
 *
 * @param name as given on the command line
 * @param title as printed
 * @param filePatterns what its files are called
 * @param promptStyle how a question becomes a prompt
 * @param questionSource reads questions from its files
 * @param groundTruthSource reads the right answers from its files, for display beside wrong ones
 * @param scorer gives the same scores as the official code
 * @param publishedScale factor from the scorer's headline number to the published unit
 * @param judge what a judge is asked; null for a benchmark without a judge
 * @param submission the file for the benchmark's server or evaluator; null if there is none
 * @param missingImageAdvice a way to do without some images, for the message about a missing one; empty if there is none
 */
public record Benchmark(
        String name,
        String title,
        BenchmarkFilePatterns filePatterns,
        PromptStyle promptStyle,
        QuestionSource questionSource,
        Function<BenchmarkFiles, GroundTruth> groundTruthSource,
        Scorer scorer,
        double publishedScale,
        @Nullable JudgeSpec judge,
        @Nullable Submission submission,
        String missingImageAdvice) {

    /** The benchmark's files in a folder. */
    public BenchmarkFiles files(Path folder) {
        return BenchmarkFiles.in(folder, filePatterns);
    }

    /** The questions of a folder, from LLaVA's question file where it has one, else from the official files. */
    public List<Question> questions(Path folder) {
        return questionSource.questions(files(folder), promptStyle::render);
    }

    /** The right answers that the files of a folder hold; empty where only the benchmark's server knows them. */
    public GroundTruth groundTruth(Path folder) {
        return groundTruthSource.apply(files(folder));
    }

    /**
     * The folder to which the questions' image names are relative.
     *
     * @param work where images that are stored inside a table (MMBench's) are written
     * @param unusable receives the reason for each image of a table that cannot be written
     */
    public Path images(Path folder, Path work, Consumer<DataException> unusable) {
        return questionSource.images(files(folder), work, unusable);
    }

    /** The same, where every image of a table must be usable. */
    public Path images(Path folder, Path work) {
        return images(folder, work, problem -> {
            throw problem;
        });
    }

    /** The lines that follow a question; empty for none. */
    public String responseFormat() {
        return promptStyle.responseFormat();
    }

    /** The same benchmark, whose questions are sent without the lines that follow them. */
    public Benchmark withoutResponseFormat() {
        return new Benchmark(
                name,
                title,
                filePatterns,
                promptStyle.withoutResponseFormat(),
                questionSource.without(promptStyle.responseFormat()),
                groundTruthSource,
                scorer,
                publishedScale,
                judge,
                submission,
                missingImageAdvice);
    }

    /** The text sent after {@code <image>\n}. */
    public String render(String question) {
        return promptStyle.render(question);
    }

    /** What the answer file keeps as {@code prompt}. */
    public String recordedPrompt(Question question) {
        return promptStyle.recorded(question);
    }

    /** Greedy decoding with the benchmark's limit. */
    public GenerationOptions decoding() {
        return promptStyle.decoding();
    }

    static Builder builder(String name, String title) {
        return new Builder(name, title);
    }

    /** Collects the parts of a benchmark by name. Files, prompt, questions and scorer are required. */
    static final class Builder {
        private final String name;
        private final String title;
        private @Nullable BenchmarkFilePatterns files;
        private @Nullable PromptStyle prompt;
        private @Nullable QuestionSource questions;
        private Function<BenchmarkFiles, GroundTruth> groundTruth = GroundTruth::scan;
        private @Nullable Scorer scorer;
        private double publishedScale = 1;
        private @Nullable JudgeSpec judge;
        private @Nullable Submission submission;
        private String missingImageAdvice = "";

        private Builder(String name, String title) {
            this.name = name;
            this.title = title;
        }

        Builder files(BenchmarkFilePatterns patterns) {
            this.files = patterns;
            return this;
        }

        Builder prompt(PromptStyle style) {
            this.prompt = style;
            return this;
        }

        Builder questions(QuestionSource source) {
            this.questions = source;
            return this;
        }

        /** Replaces the default, {@link GroundTruth#scan}. */
        Builder groundTruth(Function<BenchmarkFiles, GroundTruth> source) {
            this.groundTruth = source;
            return this;
        }

        Builder scorer(Scorer scoring) {
            this.scorer = scoring;
            return this;
        }

        /** For a benchmark that is published in percent while its official code prints shares of one. */
        Builder publishedInPercent() {
            this.publishedScale = 100;
            return this;
        }

        Builder requiredJudge(JudgeSpec.Asking asking) {
            this.judge = new JudgeSpec(true, asking);
            return this;
        }

        Builder optionalJudge(JudgeSpec.Asking asking) {
            this.judge = new JudgeSpec(false, asking);
            return this;
        }

        Builder submission(String fileName, Submission.Writer writer) {
            this.submission = new Submission(fileName, writer);
            return this;
        }

        /** Precedes ", or go on without it by …". */
        Builder missingImageAdvice(String advice) {
            this.missingImageAdvice = advice;
            return this;
        }

        Benchmark build() {
            return new Benchmark(
                    name,
                    title,
                    Objects.requireNonNull(files, "files"),
                    Objects.requireNonNull(prompt, "prompt"),
                    Objects.requireNonNull(questions, "questions"),
                    groundTruth,
                    Objects.requireNonNull(scorer, "scorer"),
                    publishedScale,
                    judge,
                    submission,
                    missingImageAdvice);
        }
    }
}
