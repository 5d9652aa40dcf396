package io.llava4j.eval;

import io.llava4j.ConfigException;
import io.llava4j.eval.choice.Ai2d;
import io.llava4j.eval.choice.MmBench;
import io.llava4j.eval.choice.MmBenchQuestions;
import io.llava4j.eval.choice.MmStar;
import io.llava4j.eval.choice.RealWorldQa;
import io.llava4j.eval.choice.ScienceQa;
import io.llava4j.eval.choice.Seed;
import io.llava4j.eval.gqa.Gqa;
import io.llava4j.eval.judge.LlavaBench;
import io.llava4j.eval.judge.MmVet;
import io.llava4j.eval.mme.Mme;
import io.llava4j.eval.mmmu.Mmmu;
import io.llava4j.eval.ocr.ChartQa;
import io.llava4j.eval.ocr.OcrBench;
import io.llava4j.eval.pope.Pope;
import io.llava4j.eval.score.BenchmarkFilePatterns;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.QuestionSource;
import io.llava4j.eval.several.Nlvr2;
import io.llava4j.eval.several.SeveralImages;
import io.llava4j.eval.shape.JsonAnswers;
import io.llava4j.eval.shape.Unanswerable;
import io.llava4j.eval.vqa.TextVqa;
import io.llava4j.eval.vqa.VizWiz;
import io.llava4j.eval.vqa.Vqav2;
import io.llava4j.text.ResponseFormat;
import java.util.List;
import java.util.stream.Stream;

/** Every benchmark. A new one needs an entry here and a class with its rules. */
public final class Benchmarks {
    /** VQAv2: accuracy against ten human answers. */
    public static final Benchmark VQAV2 = Benchmark.builder("vqav2", "VQAv2")
            .files(Vqav2.FILES)
            .prompt(PromptStyle.SHORT)
            .questions(QuestionSource.llavasOr(FileRole.QUESTIONS, Vqav2::official))
            .scorer(Vqav2::score)
            .submission("vqav2-upload.json", Vqav2::submit)
            .build();

    /** GQA: exact answers to questions made from scene graphs. */
    public static final Benchmark GQA = Benchmark.builder("gqa", "GQA")
            .files(Gqa.FILES)
            .prompt(PromptStyle.SHORT)
            .questions(QuestionSource.llavasOr(FileRole.ANNOTATIONS, Gqa::official))
            .scorer(Gqa::score)
            .submission("testdev_balanced_predictions.json", Gqa::submit)
            .build();

    /** VizWiz: questions of blind people; the image does not answer all of them. */
    public static final Benchmark VIZWIZ = Benchmark.builder("vizwiz", "VizWiz")
            .files(VizWiz.FILES)
            .prompt(PromptStyle.SHORT_OR_UNANSWERABLE)
            .questions(QuestionSource.llavasOr(FileRole.ANNOTATIONS, VizWiz::official)
                    .named(VizWiz::name))
            .scorer(VizWiz::score)
            .submission("vizwiz-upload.json", VizWiz::submit)
            .build();

    /** ScienceQA: school questions with lettered choices; the published number counts those with an image. */
    public static final Benchmark SCIENCEQA = Benchmark.builder("scienceqa", "ScienceQA-IMG")
            .files(ScienceQa.FILES)
            .prompt(PromptStyle.letter(
                    ResponseFormat.LETTER.prompt(), PromptStyle.RecordedPrompt.WITH_IMAGE_PLACEHOLDER))
            .questions(ScienceQa::questions)
            .scorer(ScienceQa::score)
            .build();

    /** TextVQA: questions about text in images; the prompt holds the words that an OCR system found. */
    public static final Benchmark TEXTVQA = Benchmark.builder("textvqa", "TextVQA")
            .files(TextVqa.FILES)
            .prompt(PromptStyle.SHORT)
            .questions(QuestionSource.llavasOr(TextVqa::official).named(TextVqa::name))
            .scorer(TextVqa::score)
            .build();

    /** POPE: yes/no questions about the presence of objects. */
    public static final Benchmark POPE = Benchmark.builder("pope", "POPE")
            .files(Pope.FILES)
            .prompt(PromptStyle.SHORT)
            .questions(QuestionSource.llavasOr(FileRole.ANNOTATIONS, Pope::official))
            .scorer(Pope::score)
            .publishedInPercent()
            .build();

    /** MME: pairs of yes/no questions in fourteen categories. */
    public static final Benchmark MME = Benchmark.builder("mme", "MME")
            .files(Mme.FILES)
            .prompt(PromptStyle.SHORT)
            .questions(
                    QuestionSource.llavasOr(FileRole.ANNOTATIONS, Mme::official).named(Mme::name))
            .groundTruth(Mme::groundTruth)
            .scorer(Mme::score)
            .submission("mme", Mme::submit)
            .build();

    /** MMBench: lettered options, asked in every rotation. */
    public static final Benchmark MMBENCH =
            mmBench("mmbench", "MMBench", MmBench.FILES, ResponseFormat.LETTER.prompt());

    /** MMBench in Chinese. */
    public static final Benchmark MMBENCH_CN = mmBench(
            "mmbench_cn",
            "MMBench-CN",
            MmBench.FILES_CN,
            "\u8bf7\u76f4\u63a5\u56de\u7b54\u9009\u9879\u5b57\u6bcd\u3002");

    /** SEED-Bench: lettered options about images and video frames. */
    public static final Benchmark SEED = Benchmark.builder("seed", "SEED-Bench")
            .files(Seed.FILES)
            .prompt(PromptStyle.LETTER)
            .questions(QuestionSource.llavasOr(FileRole.ANNOTATIONS, Seed::official))
            .scorer(Seed::score)
            .submission("seed-upload.jsonl", Seed::submit)
            .missingImageAdvice("ask and score the questions about images alone with the task seed_image")
            .build();

    /** The part of SEED-Bench about images, for those who cannot get the frames of the videos. */
    public static final Benchmark SEED_IMAGE = Benchmark.builder("seed_image", "SEED-Bench, images")
            .files(Seed.FILES_OF_SEED)
            .prompt(PromptStyle.LETTER)
            .questions(Seed.aboutImages(QuestionSource.llavasOr(FileRole.ANNOTATIONS, Seed::official)))
            .scorer(Seed::scoreImages)
            .build();

    /** LLaVA-Bench (in the wild): a judge compares long answers with GPT-4's. */
    public static final Benchmark LLAVA_BENCH = Benchmark.builder("llava_bench", "LLaVA-Bench-in-the-Wild")
            .files(LlavaBench.FILES)
            .prompt(PromptStyle.OPEN)
            .questions(QuestionSource.own())
            .scorer(LlavaBench::score)
            .requiredJudge(LlavaBench::ask)
            .build();

    /** MM-Vet: open answers that need several capabilities at once, graded by a judge. */
    public static final Benchmark MM_VET = Benchmark.builder("mm_vet", "MM-Vet")
            .files(MmVet.FILES)
            .prompt(PromptStyle.OPEN)
            .questions(QuestionSource.llavasOr(FileRole.ANNOTATIONS, MmVet::official)
                    .named(MmVet::name))
            .scorer(MmVet::score)
            .requiredJudge(MmVet::grade)
            .submission("mm-vet-results.json", MmVet::submit)
            .build();

    /** Zero-shot format: does the model call a question unanswerable when the prompt asks for it? */
    public static final Benchmark UNANSWERABLE_PROMPTED =
            unanswerable("unanswerable", "with the prompt", PromptStyle.SHORT_OR_UNANSWERABLE);

    /** The same without the prompt. */
    public static final Benchmark UNANSWERABLE_PLAIN =
            unanswerable("unanswerable_plain", "without the prompt", PromptStyle.SHORT);

    /** Zero-shot format: is an answer that was requested as JSON valid, and are its fields right? */
    public static final Benchmark JSON_ANSWERS = Benchmark.builder("json_answers", "JSON answers")
            .files(JsonAnswers.FILES)
            .prompt(PromptStyle.OPEN)
            .questions(QuestionSource.own())
            .scorer(JsonAnswers::score)
            .build();

    /** MMStar: choices that need the image, in eighteen axes. */
    public static final Benchmark MMSTAR = Benchmark.builder("mmstar", "MMStar")
            .files(MmStar.FILES)
            .prompt(PromptStyle.limited("Answer with the option's letter from the given choices directly", 1024))
            .questions(MmStar.QUESTIONS)
            .groundTruth(MmStar::groundTruth)
            .scorer(MmStar::score)
            .publishedInPercent()
            .build();

    /** AI2D: lettered options about diagrams of school books. */
    public static final Benchmark AI2D = Benchmark.builder("ai2d", "AI2D")
            .files(Ai2d.FILES)
            .prompt(PromptStyle.limited(ResponseFormat.LETTER.prompt(), 16))
            .questions(Ai2d.QUESTIONS)
            .groundTruth(Ai2d::groundTruth)
            .scorer(Ai2d::score)
            .publishedInPercent()
            .build();

    /** ChartQA: words and numbers read from charts. */
    public static final Benchmark CHARTQA = Benchmark.builder("chartqa", "ChartQA")
            .files(ChartQa.FILES)
            .prompt(PromptStyle.limited("Answer the question with a single word.", 16))
            .questions(ChartQa.QUESTIONS)
            .groundTruth(ChartQa::groundTruth)
            .scorer(ChartQa::score)
            .publishedInPercent()
            .build();

    /** RealWorldQA: choices, words and numbers about photographs from cars and streets. */
    public static final Benchmark REALWORLDQA = Benchmark.builder("realworldqa", "RealWorldQA")
            .files(RealWorldQa.FILES)
            .prompt(PromptStyle.limited("", 16))
            .questions(RealWorldQa.QUESTIONS)
            .groundTruth(RealWorldQa::groundTruth)
            .scorer(RealWorldQa::score)
            .publishedInPercent()
            .build();

    /** OCRBench: text of every kind, from words to formulas. */
    public static final Benchmark OCRBENCH = Benchmark.builder("ocrbench", "OCRBench")
            .files(OcrBench.FILES)
            .prompt(PromptStyle.limited("", 128))
            .questions(OcrBench.QUESTIONS)
            .groundTruth(OcrBench::groundTruth)
            .scorer(OcrBench::score)
            .publishedInPercent()
            .build();

    /** MMMU, validation: questions of thirty subjects at college level. */
    public static final Benchmark MMMU = Benchmark.builder("mmmu", "MMMU, validation")
            .files(Mmmu.FILES)
            .prompt(PromptStyle.limited("", 128))
            .questions(Mmmu.QUESTIONS)
            .groundTruth(Mmmu::groundTruth)
            .scorer(Mmmu::score)
            .publishedInPercent()
            .build();

    /** NLVR2: is a sentence about two images true? */
    public static final Benchmark NLVR2 = Benchmark.builder("nlvr2", "NLVR2")
            .files(Nlvr2.FILES)
            .prompt(PromptStyle.limited(
                    "Is this sentence about the two images, the left one first, true or false? Answer with True or False.",
                    16))
            .questions(new Nlvr2.Source())
            .groundTruth(Nlvr2::groundTruth)
            .scorer(Nlvr2::score)
            .publishedInPercent()
            .submission("nlvr2-predictions.csv", Nlvr2::submit)
            .build();

    /** Two or three images of the nano world: the same thing, more of it, changed, the odd one out. */
    public static final Benchmark SEVERAL_IMAGES = Benchmark.builder("several_images", "Several images")
            .files(SeveralImages.FILES)
            .prompt(PromptStyle.SHORT)
            .questions(QuestionSource.own())
            .scorer(SeveralImages::score)
            .build();

    /** The same questions with the first image alone, to compare with. */
    public static final Benchmark SEVERAL_IMAGES_FIRST = Benchmark.builder(
                    "several_images_first", "Several images, the first alone")
            .files(SeveralImages.FILES_OF_SEVERAL)
            .prompt(PromptStyle.SHORT)
            .questions(SeveralImages.firstImage(QuestionSource.own()))
            .scorer(SeveralImages::score)
            .build();

    private static final List<Benchmark> PUBLISHED =
            List.of(VQAV2, GQA, VIZWIZ, SCIENCEQA, TEXTVQA, POPE, MME, MMBENCH, MMBENCH_CN, SEED, LLAVA_BENCH, MM_VET);

    private static final List<Benchmark> ALL = Stream.concat(
                    PUBLISHED.stream(),
                    Stream.of(
                            SEED_IMAGE,
                            UNANSWERABLE_PROMPTED,
                            UNANSWERABLE_PLAIN,
                            JSON_ANSWERS,
                            MMSTAR,
                            AI2D,
                            CHARTQA,
                            REALWORLDQA,
                            OCRBENCH,
                            MMMU,
                            NLVR2,
                            SEVERAL_IMAGES,
                            SEVERAL_IMAGES_FIRST))
            .toList();

    private Benchmarks() {}

    private static Benchmark mmBench(String name, String title, BenchmarkFilePatterns files, String responseFormat) {
        return Benchmark.builder(name, title)
                .files(files)
                .prompt(PromptStyle.letter(responseFormat, PromptStyle.RecordedPrompt.WITHOUT_FORMAT))
                .questions(new MmBenchQuestions())
                .groundTruth(MmBench::groundTruth)
                .scorer(MmBench::score)
                .publishedInPercent()
                .optionalJudge(MmBench::ask)
                .submission(name + "-upload.xlsx", MmBench::submit)
                .build();
    }

    private static Benchmark unanswerable(String name, String title, PromptStyle prompt) {
        return Benchmark.builder(name, "Unanswerable, " + title)
                .files(Unanswerable.FILES)
                .prompt(prompt)
                .questions((files, render) -> VizWiz.official(files.require(FileRole.ANNOTATIONS), render))
                .scorer(Unanswerable::score)
                .build();
    }

    /** The twelve benchmarks of LLaVA-1.5, in the order of the paper. */
    public static List<Benchmark> published() {
        return PUBLISHED;
    }

    /** The twelve published benchmarks, then SEED-Bench's image part, the paper's tests of zero-shot formats, and benchmarks of later years. */
    public static List<Benchmark> all() {
        return ALL;
    }

    /** @throws ConfigException if no benchmark has this name; the message lists the names */
    public static Benchmark named(String name) {
        return ALL.stream()
                .filter(benchmark -> benchmark.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new ConfigException("no benchmark is called '%s'; there are %s"
                        .formatted(name, ALL.stream().map(Benchmark::name).toList())));
    }
}
