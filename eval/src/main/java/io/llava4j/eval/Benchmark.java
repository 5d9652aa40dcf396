package io.llava4j.eval;

import io.llava4j.ConfigException;
import io.llava4j.eval.choice.MmBench;
import io.llava4j.eval.choice.MmBenchQuestions;
import io.llava4j.eval.choice.ScienceQa;
import io.llava4j.eval.choice.Seed;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.gqa.Gqa;
import io.llava4j.eval.judge.JudgeSpec;
import io.llava4j.eval.judge.LlavaBench;
import io.llava4j.eval.judge.MmVet;
import io.llava4j.eval.mme.Mme;
import io.llava4j.eval.pope.Pope;
import io.llava4j.eval.score.BenchmarkFilePatterns;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.QuestionSource;
import io.llava4j.eval.score.Scorer;
import io.llava4j.eval.score.Submission;
import io.llava4j.eval.shape.JsonAnswers;
import io.llava4j.eval.shape.Unanswerable;
import io.llava4j.eval.vqa.TextVqa;
import io.llava4j.eval.vqa.VizWiz;
import io.llava4j.eval.vqa.Vqav2;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.text.ResponseFormat;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A benchmark as data: its files, how a question is put, how answers are scored, judged and handed in. Adding one is one
 * record here and one class with its rules.
 *
 * @param name as given on the command line
 * @param title as printed
 * @param layout its files
 * @param prompting how a question is put
 * @param questions makes questions of its files
 * @param scorer equal to the official code
 * @param publishedScale factor from the scorer's headline to the published unit
 * @param judging what a judge is asked; null where there is nothing to ask
 * @param submission what is handed in; null for nothing
 */
public record Benchmark(
        String name,
        String title,
        BenchmarkFilePatterns layout,
        PromptStyle prompting,
        QuestionSource questions,
        Scorer scorer,
        double publishedScale,
        @Nullable JudgeSpec judging,
        @Nullable Submission submission) {

    /** VQAv2: accuracy against ten human answers. */
    public static final Benchmark VQAV2 = new Benchmark(
            "vqav2",
            "VQAv2",
            Vqav2.LAYOUT,
            PromptStyle.SHORT,
            QuestionSource.llavasOr(FileRole.QUESTIONS, Vqav2::official),
            Vqav2::score,
            1,
            null,
            new Submission("vqav2-upload.json", Vqav2::submit));

    /** GQA: exact answers to questions made from scene graphs. */
    public static final Benchmark GQA = new Benchmark(
            "gqa",
            "GQA",
            Gqa.LAYOUT,
            PromptStyle.SHORT,
            QuestionSource.llavasOr(FileRole.ANNOTATIONS, Gqa::official),
            Gqa::score,
            1,
            null,
            new Submission("testdev_balanced_predictions.json", Gqa::submit));

    /** VizWiz: questions of blind people, some of which the image does not answer. */
    public static final Benchmark VIZWIZ = new Benchmark(
            "vizwiz",
            "VizWiz",
            VizWiz.LAYOUT,
            PromptStyle.SHORT_OR_UNANSWERABLE,
            QuestionSource.llavasOr(FileRole.ANNOTATIONS, VizWiz::official).named(VizWiz::name),
            VizWiz::score,
            1,
            null,
            new Submission("vizwiz-upload.json", VizWiz::submit));

    /** ScienceQA: school questions with lettered choices; those with an image are published. */
    public static final Benchmark SCIENCEQA = new Benchmark(
            "scienceqa",
            "ScienceQA-IMG",
            ScienceQa.LAYOUT,
            PromptStyle.letter(ResponseFormat.LETTER.prompt(), PromptStyle.RecordedPrompt.WITH_IMAGE_MARK),
            ScienceQa::questions,
            ScienceQa::score,
            1,
            null,
            null);

    /** TextVQA: reading, with words that an OCR system found in the prompt. */
    public static final Benchmark TEXTVQA = new Benchmark(
            "textvqa",
            "TextVQA",
            TextVqa.LAYOUT,
            PromptStyle.SHORT,
            QuestionSource.llavasOr(TextVqa::official).named(TextVqa::name),
            TextVqa::score,
            1,
            null,
            null);

    /** POPE: is an object there, yes or no. */
    public static final Benchmark POPE = new Benchmark(
            "pope",
            "POPE",
            Pope.LAYOUT,
            PromptStyle.SHORT,
            QuestionSource.llavasOr(FileRole.ANNOTATIONS, Pope::official),
            Pope::score,
            100,
            null,
            null);

    /** MME: pairs of yes/no questions in fourteen categories. */
    public static final Benchmark MME = new Benchmark(
            "mme",
            "MME",
            Mme.LAYOUT,
            PromptStyle.SHORT,
            QuestionSource.llavasOr(FileRole.ANNOTATIONS, Mme::official).named(Mme::name),
            Mme::score,
            1,
            null,
            new Submission("mme", Mme::submit));

    /** MMBench: lettered options, asked in every rotation. */
    public static final Benchmark MMBENCH =
            mmBench("mmbench", "MMBench", MmBench.LAYOUT, ResponseFormat.LETTER.prompt());

    /** MMBench in Chinese. */
    public static final Benchmark MMBENCH_CN = mmBench(
            "mmbench_cn",
            "MMBench-CN",
            MmBench.LAYOUT_CN,
            "\u8bf7\u76f4\u63a5\u56de\u7b54\u9009\u9879\u5b57\u6bcd\u3002");

    /** SEED-Bench: lettered options about images and video frames. */
    public static final Benchmark SEED = new Benchmark(
            "seed",
            "SEED-Bench",
            Seed.LAYOUT,
            PromptStyle.LETTER,
            QuestionSource.llavasOr(FileRole.ANNOTATIONS, Seed::official),
            Seed::score,
            1,
            null,
            new Submission("seed-upload.jsonl", Seed::submit));

    /** LLaVA-Bench (in the wild): long answers, judged beside GPT-4's. */
    public static final Benchmark LLAVA_BENCH = new Benchmark(
            "llava_bench",
            "LLaVA-Bench-in-the-Wild",
            LlavaBench.LAYOUT,
            PromptStyle.OPEN,
            QuestionSource.own(),
            LlavaBench::score,
            1,
            new JudgeSpec(true, LlavaBench::ask),
            null);

    /** MM-Vet: open answers by several capabilities at once, graded by a judge. */
    public static final Benchmark MM_VET = new Benchmark(
            "mm_vet",
            "MM-Vet",
            MmVet.LAYOUT,
            PromptStyle.OPEN,
            QuestionSource.llavasOr(FileRole.ANNOTATIONS, MmVet::official).named(MmVet::name),
            MmVet::score,
            1,
            new JudgeSpec(true, MmVet::grade),
            new Submission("mm-vet-results.json", MmVet::submit));

    /** Zero-shot format: is a question that cannot be answered called unanswerable when the prompt asks for it. */
    public static final Benchmark UNANSWERABLE_PROMPTED =
            unanswerable("unanswerable", "with the prompt", PromptStyle.SHORT_OR_UNANSWERABLE);

    /** The same without the prompt. */
    public static final Benchmark UNANSWERABLE_PLAIN =
            unanswerable("unanswerable_plain", "without the prompt", PromptStyle.SHORT);

    /** Zero-shot format: is an answer asked for as JSON valid, and are its fields right. */
    public static final Benchmark JSON_ANSWERS = new Benchmark(
            "json_answers",
            "JSON answers",
            JsonAnswers.LAYOUT,
            PromptStyle.OPEN,
            QuestionSource.own(),
            JsonAnswers::score,
            1,
            null,
            null);

    private static Benchmark mmBench(String name, String title, BenchmarkFilePatterns layout, String format) {
        return new Benchmark(
                name,
                title,
                layout,
                PromptStyle.letter(format, PromptStyle.RecordedPrompt.WITHOUT_FORMAT),
                new MmBenchQuestions(),
                MmBench::score,
                100,
                new JudgeSpec(false, MmBench::ask),
                new Submission(name + "-upload.xlsx", MmBench::submit));
    }

    private static Benchmark unanswerable(String name, String title, PromptStyle prompting) {
        return new Benchmark(
                name,
                "Unanswerable, " + title,
                Unanswerable.LAYOUT,
                prompting,
                (files, render) -> VizWiz.official(files.require(FileRole.ANNOTATIONS), render),
                Unanswerable::score,
                1,
                null,
                null);
    }

    /** The twelve benchmarks of LLaVA-1.5, in the order of the paper. */
    public static List<Benchmark> published() {
        return List.of(
                VQAV2, GQA, VIZWIZ, SCIENCEQA, TEXTVQA, POPE, MME, MMBENCH, MMBENCH_CN, SEED, LLAVA_BENCH, MM_VET);
    }

    /** Every benchmark there is: the twelve, and the paper's tests of zero-shot formats. */
    public static List<Benchmark> all() {
        return Stream.concat(published().stream(), Stream.of(UNANSWERABLE_PROMPTED, UNANSWERABLE_PLAIN, JSON_ANSWERS))
                .toList();
    }

    /** @throws ConfigException naming the known ones */
    public static Benchmark named(String name) {
        return all().stream()
                .filter(benchmark -> benchmark.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new ConfigException("no benchmark is called '%s'; there are %s"
                        .formatted(name, all().stream().map(Benchmark::name).toList())));
    }

    /** The benchmark's files in a folder. */
    public BenchmarkFiles files(Path folder) {
        return BenchmarkFiles.in(folder, layout);
    }

    /** The questions of a folder, from LLaVA's question file where it has one, else from the official files. */
    public List<Question> questions(Path folder) {
        return questions.questions(files(folder), prompting::render);
    }

    /**
     * The folder that the questions' images are named in.
     *
     * @param work where images that come inside a table (MMBench's) are written
     */
    public Path images(Path folder, Path work) {
        return questions.images(files(folder), work);
    }

    /** The lines that follow a question; empty for none. */
    public String responseFormat() {
        return prompting.responseFormat();
    }

    /** The text sent after {@code <image>\n}. */
    public String render(String question) {
        return prompting.render(question);
    }

    /** What the answer file keeps as {@code prompt}. */
    public String recordedPrompt(Question question) {
        return prompting.recorded(question);
    }

    /** Greedy decoding with the benchmark's limit. */
    public GenerationOptions decoding() {
        return prompting.decoding();
    }
}
