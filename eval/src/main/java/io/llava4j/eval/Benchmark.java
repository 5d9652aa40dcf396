package io.llava4j.eval;

import io.llava4j.ConfigException;
import io.llava4j.eval.choice.MmBench;
import io.llava4j.eval.choice.MmBenchReference;
import io.llava4j.eval.choice.ScienceQa;
import io.llava4j.eval.choice.ScienceQaReference;
import io.llava4j.eval.choice.Seed;
import io.llava4j.eval.choice.SeedReference;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionFile;
import io.llava4j.eval.gqa.Gqa;
import io.llava4j.eval.gqa.GqaReference;
import io.llava4j.eval.judge.LlavaBench;
import io.llava4j.eval.judge.LlavaBenchReference;
import io.llava4j.eval.judge.MmVet;
import io.llava4j.eval.judge.MmVetReference;
import io.llava4j.eval.mme.Mme;
import io.llava4j.eval.mme.MmeReference;
import io.llava4j.eval.pope.Pope;
import io.llava4j.eval.pope.PopeReference;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.Layout;
import io.llava4j.eval.score.Reference;
import io.llava4j.eval.score.Scorer;
import io.llava4j.eval.shape.JsonAnswers;
import io.llava4j.eval.shape.Unanswerable;
import io.llava4j.eval.vqa.TextVqa;
import io.llava4j.eval.vqa.TextVqaReference;
import io.llava4j.eval.vqa.VizWiz;
import io.llava4j.eval.vqa.VizWizReference;
import io.llava4j.eval.vqa.Vqav2;
import io.llava4j.eval.vqa.Vqav2Reference;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.text.ConversationTemplate;
import io.llava4j.text.ResponseFormat;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A benchmark as data: its files, how a question is put, how long an answer may be, how answers are scored and handed in.
 * Adding one is one record here and one class with its rules.
 *
 * @param name as given on the command line
 * @param title as printed
 * @param layout its files
 * @param responseFormat the lines that follow a question; empty for none (spec/evaluation 1)
 * @param template the conversation around it
 * @param maxNewTokens longest answer; 128 for short answers, 1024 for long ones
 * @param recorded what the answer file keeps as {@code prompt}
 * @param questions makes questions of its files
 * @param scorer equal to the official code
 * @param publishedScale factor from the scorer's headline to the published unit
 * @param submission what is handed in; null for nothing
 * @param reference compares with what the official code gave; null if there is none
 */
public record Benchmark(
        String name,
        String title,
        Layout layout,
        String responseFormat,
        ConversationTemplate template,
        int maxNewTokens,
        RecordedPrompt recorded,
        QuestionSource questions,
        Scorer scorer,
        double publishedScale,
        @Nullable Submission submission,
        @Nullable Reference reference) {

    private static final ConversationTemplate V1 = ConversationTemplate.V1;
    private static final int SHORT = 128;
    private static final int LONG = 1024;

    /** VQAv2: accuracy against ten human answers. */
    public static final Benchmark VQAV2 = new Benchmark(
            "vqav2",
            "VQAv2",
            Vqav2.LAYOUT,
            ResponseFormat.SHORT.prompt(),
            V1,
            SHORT,
            RecordedPrompt.TEXT,
            QuestionSource.jsonLines(
                    (benchmark, files) -> Vqav2.official(files.require(FileRole.QUESTIONS), benchmark::render)),
            Vqav2::score,
            1,
            new Submission("vqav2-upload.json", Vqav2::submit),
            Vqav2Reference::compare);

    /** GQA: exact answers to questions made from scene graphs. */
    public static final Benchmark GQA = new Benchmark(
            "gqa",
            "GQA",
            Gqa.LAYOUT,
            ResponseFormat.SHORT.prompt(),
            V1,
            SHORT,
            RecordedPrompt.TEXT,
            QuestionSource.jsonLines(
                    (benchmark, files) -> Gqa.official(files.require(FileRole.ANNOTATIONS), benchmark::render)),
            Gqa::score,
            1,
            new Submission("testdev_balanced_predictions.json", Gqa::submit),
            GqaReference::compare);

    /** VizWiz: questions of blind people, some of which the picture does not answer. */
    public static final Benchmark VIZWIZ = new Benchmark(
            "vizwiz",
            "VizWiz",
            VizWiz.LAYOUT,
            ResponseFormat.SHORT_OR_UNANSWERABLE.prompt(),
            V1,
            SHORT,
            RecordedPrompt.TEXT,
            QuestionSource.jsonLines(
                    (benchmark, files) -> VizWiz.official(files.require(FileRole.ANNOTATIONS), benchmark::render)),
            VizWiz::score,
            1,
            new Submission("vizwiz-upload.json", VizWiz::submit),
            VizWizReference::compare);

    /** ScienceQA: school questions with lettered choices; those with a picture are published. */
    public static final Benchmark SCIENCEQA = new Benchmark(
            "scienceqa",
            "ScienceQA-IMG",
            ScienceQa.LAYOUT,
            ResponseFormat.LETTER.prompt(),
            V1,
            LONG,
            RecordedPrompt.WITH_IMAGE_MARK,
            (benchmark, files) -> {
                Path conversations = files.find(FileRole.QUESTIONS);
                return conversations == null
                        ? ScienceQa.official(files, benchmark::render)
                        : ScienceQa.conversations(conversations, benchmark::render);
            },
            ScienceQa::score,
            1,
            null,
            ScienceQaReference::compare);

    /** TextVQA: reading, with words that an OCR system found in the prompt. */
    public static final Benchmark TEXTVQA = new Benchmark(
            "textvqa",
            "TextVQA",
            TextVqa.LAYOUT,
            ResponseFormat.SHORT.prompt(),
            V1,
            SHORT,
            RecordedPrompt.TEXT,
            QuestionSource.jsonLines((benchmark, files) -> TextVqa.official(
                    files.require(FileRole.ANNOTATIONS), files.require(FileRole.OCR), benchmark::render)),
            TextVqa::score,
            1,
            null,
            TextVqaReference::compare);

    /** POPE: is an object there, yes or no. */
    public static final Benchmark POPE = new Benchmark(
            "pope",
            "POPE",
            Pope.LAYOUT,
            ResponseFormat.SHORT.prompt(),
            V1,
            SHORT,
            RecordedPrompt.TEXT,
            QuestionSource.jsonLines(
                    (benchmark, files) -> Pope.official(files.require(FileRole.ANNOTATIONS), benchmark::render)),
            Pope::score,
            100,
            null,
            PopeReference::compare);

    /** MME: pairs of yes/no questions in fourteen categories. */
    public static final Benchmark MME = new Benchmark(
            "mme",
            "MME",
            Mme.LAYOUT,
            ResponseFormat.SHORT.prompt(),
            V1,
            SHORT,
            RecordedPrompt.TEXT,
            QuestionSource.jsonLines(
                    (benchmark, files) -> Mme.official(files.require(FileRole.ANNOTATIONS), benchmark::render)),
            Mme::score,
            1,
            new Submission("mme", Mme::submit),
            MmeReference::compare);

    /** MMBench: lettered options, asked in every rotation. */
    public static final Benchmark MMBENCH =
            mmBench("mmbench", "MMBench", MmBench.LAYOUT, ResponseFormat.LETTER.prompt());

    /** MMBench in Chinese. */
    public static final Benchmark MMBENCH_CN = mmBench(
            "mmbench_cn",
            "MMBench-CN",
            MmBench.LAYOUT_CN,
            "\u8bf7\u76f4\u63a5\u56de\u7b54\u9009\u9879\u5b57\u6bcd\u3002");

    /** SEED-Bench: lettered options about pictures and video frames. */
    public static final Benchmark SEED = new Benchmark(
            "seed",
            "SEED-Bench",
            Seed.LAYOUT,
            ResponseFormat.LETTER.prompt(),
            V1,
            SHORT,
            RecordedPrompt.TEXT,
            QuestionSource.jsonLines(
                    (benchmark, files) -> Seed.official(files.require(FileRole.ANNOTATIONS), benchmark::render)),
            Seed::score,
            1,
            new Submission("seed-upload.jsonl", Seed::submit),
            SeedReference::compare);

    /** LLaVA-Bench (in the wild): long answers, judged beside GPT-4's. */
    public static final Benchmark LLAVA_BENCH = new Benchmark(
            "llava_bench",
            "LLaVA-Bench-in-the-Wild",
            LlavaBench.LAYOUT,
            "",
            V1,
            LONG,
            RecordedPrompt.TEXT,
            (benchmark, files) -> LlavaBench.questions(files),
            LlavaBench::score,
            1,
            null,
            LlavaBenchReference::compare);

    /** MM-Vet: open answers by several capabilities at once, graded by a judge. */
    public static final Benchmark MM_VET = new Benchmark(
            "mm_vet",
            "MM-Vet",
            MmVet.LAYOUT,
            "",
            V1,
            LONG,
            RecordedPrompt.TEXT,
            QuestionSource.jsonLines((benchmark, files) -> MmVet.official(files.require(FileRole.ANNOTATIONS))),
            MmVet::score,
            1,
            new Submission("mm-vet-results.json", MmVet::submit),
            MmVetReference::compare);

    /** Zero-shot format: is a question that cannot be answered called unanswerable when the prompt asks for it. */
    public static final Benchmark UNANSWERABLE_PROMPTED =
            unanswerable("unanswerable", "with the prompt", ResponseFormat.SHORT_OR_UNANSWERABLE.prompt());

    /** The same without the prompt. */
    public static final Benchmark UNANSWERABLE_PLAIN =
            unanswerable("unanswerable_plain", "without the prompt", ResponseFormat.SHORT.prompt());

    /** Zero-shot format: is an answer asked for as JSON valid, and are its fields right. */
    public static final Benchmark JSON_ANSWERS = new Benchmark(
            "json_answers",
            "JSON answers",
            JsonAnswers.LAYOUT,
            "",
            V1,
            LONG,
            RecordedPrompt.TEXT,
            (benchmark, files) -> JsonAnswers.questions(files.require(FileRole.QUESTIONS)),
            JsonAnswers::score,
            1,
            null,
            null);

    private static Benchmark mmBench(String name, String title, Layout layout, String format) {
        return new Benchmark(
                name,
                title,
                layout,
                format,
                V1,
                LONG,
                RecordedPrompt.WITHOUT_FORMAT,
                (benchmark, files) -> MmBench.official(files.require(FileRole.ANNOTATIONS), benchmark::render),
                MmBench::score,
                100,
                new Submission(name + "-upload.xlsx", MmBench::submit),
                MmBenchReference::compare);
    }

    private static Benchmark unanswerable(String name, String title, String format) {
        return new Benchmark(
                name,
                "Unanswerable, " + title,
                VizWiz.LAYOUT,
                format,
                V1,
                SHORT,
                RecordedPrompt.TEXT,
                (benchmark, files) -> Unanswerable.questions(files.require(FileRole.ANNOTATIONS), benchmark::render),
                Unanswerable::score,
                1,
                null,
                null);
    }

    /** Makes questions of a benchmark's files. */
    @FunctionalInterface
    public interface QuestionSource {
        /** Questions in the order in which they are asked. */
        List<Question> questions(Benchmark benchmark, BenchmarkFiles files);

        /** LLaVA's question file where there is one, else the official files. */
        static QuestionSource jsonLines(QuestionSource official) {
            return (benchmark, files) -> {
                Path file = files.find(FileRole.QUESTIONS);
                return file != null && file.toString().endsWith(".jsonl")
                        ? QuestionFile.read(file)
                        : official.questions(benchmark, files);
            };
        }
    }

    /** What an answer file keeps of a question as {@code prompt}; some scorers read it. */
    public enum RecordedPrompt {
        /** The text as sent. */
        TEXT,
        /** The text, after {@code <image>\n} where there is a picture. */
        WITH_IMAGE_MARK,
        /** The text without the response format. */
        WITHOUT_FORMAT
    }

    /**
     * What is handed in to a benchmark's server or evaluator.
     *
     * @param fileName usual name
     * @param writer makes it of an answer file
     */
    public record Submission(String fileName, Writer writer) {
        /** Writes a submission. */
        @FunctionalInterface
        public interface Writer {
            /** Writes {@code target} atomically. */
            void write(BenchmarkFiles files, Path answers, Path target);
        }
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
        return questions.questions(this, files(folder));
    }

    /**
     * The folder that the questions' pictures are named in.
     *
     * @param work where pictures that come inside a table (MMBench's) are written
     */
    public Path images(Path folder, Path work) {
        BenchmarkFiles files = files(folder);
        if (layout == MmBench.LAYOUT || layout == MmBench.LAYOUT_CN) {
            return MmBench.pictures(files.require(FileRole.ANNOTATIONS), work);
        }
        Path images = files.find(FileRole.IMAGES);
        return images != null && Files.isDirectory(images) ? images : folder;
    }

    /** The text sent after {@code <image>\n}. */
    public String render(String question) {
        return responseFormat.isEmpty() ? question : question + "\n" + responseFormat;
    }

    /** What the answer file keeps as {@code prompt}. */
    public String recordedPrompt(Question question) {
        return switch (recorded) {
            case TEXT -> question.text();
            case WITH_IMAGE_MARK -> question.image() == null ? question.text() : "<image>\n" + question.text();
            case WITHOUT_FORMAT ->
                question.text().endsWith("\n" + responseFormat)
                        ? question.text().substring(0, question.text().length() - responseFormat.length() - 1)
                        : question.text();
        };
    }

    /** Greedy decoding with the benchmark's limit. */
    public GenerationOptions decoding() {
        return GenerationOptions.greedy(maxNewTokens);
    }
}
