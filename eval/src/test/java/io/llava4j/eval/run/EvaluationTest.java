package io.llava4j.eval.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.eval.Benchmark;
import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.format.AnswerFile;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionFile;
import io.llava4j.eval.format.QuestionId;
import io.llava4j.eval.report.EvaluationReport;
import io.llava4j.eval.report.RunComparison;
import io.llava4j.eval.report.RunResults;
import io.llava4j.eval.report.TaskResult;
import io.llava4j.eval.transport.LocalJudge;
import io.llava4j.generate.ChatModel;
import io.llava4j.image.RgbImage;
import io.llava4j.io.Shard;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvaluationTest {
    private static final List<Benchmark> POPE = List.of(Benchmarks.POPE);

    @TempDir
    Path folder;

    private final List<String> notes = new ArrayList<>();
    private int asked;
    private int dieAfter = Integer.MAX_VALUE;

    /** Says yes to every other question, by its length. */
    private final ChatModel model = (requests, options) -> {
        asked += requests.size();
        if (asked > dieAfter) {
            throw new IllegalStateException("killed");
        }
        return requests.stream()
                .map(request -> request.turns().getFirst().text().length() % 2 == 0 ? "Yes" : "No")
                .toList();
    };

    @BeforeEach
    void data() throws IOException {
        Path pope = Files.createDirectories(folder.resolve("data/pope"));
        Files.createDirectories(pope.resolve("images"));
        Files.createDirectories(pope.resolve("coco"));
        List<Question> questions = new ArrayList<>();
        int id = 1;
        for (String split : List.of("adversarial", "popular", "random")) {
            StringBuilder labels = new StringBuilder();
            for (int i = 1; i <= 8; i++) {
                String image = "p%d.png".formatted(i % 3);
                String text = "Is there a %s in the image?".formatted("cat".repeat(i));
                labels.append("{\"question_id\": %d, \"image\": \"%s\", \"text\": \"%s\", \"label\": \"%s\"}\n"
                        .formatted(i, image, text, i % 3 == 0 ? "yes" : "no"));
                questions.add(new Question(QuestionId.of(id++), image, Benchmarks.POPE.render(text), split));
            }
            Files.writeString(pope.resolve("coco/coco_pope_" + split + ".json"), labels);
        }
        QuestionFile.write(pope.resolve("llava_pope_test.jsonl"), questions);
        for (int i = 0; i < 3; i++) {
            ImageIO.write(
                    new BufferedImage(4, 4, BufferedImage.TYPE_INT_RGB),
                    "png",
                    pope.resolve("images/p%d.png".formatted(i)).toFile());
        }
    }

    @Test
    void aKilledRunEndsWithTheFilesOfAnUnbrokenOne() throws IOException {
        RunResults unbroken = evaluation("a", 5).run();
        dieAfter = asked + 12;
        assertThatThrownBy(() -> evaluation("b", 5).run()).hasMessage("killed");
        assertThat(folder.resolve("b/results.json")).doesNotExist();
        dieAfter = Integer.MAX_VALUE;
        RunResults resumed = evaluation("b", 3).run();
        assertThat(resumed).isEqualTo(unbroken);
        assertThat(files("b")).isEqualTo(files("a"));
        assertThat(asked).isEqualTo(24 + 15 + 14);
        assertThat(RunResults.read(folder.resolve("a"))).isEqualTo(unbroken);
    }

    @Test
    void shardsAreMergedByTheUnshardedRun() throws IOException {
        evaluation("whole", 5).run();
        for (int i = 1; i <= 5; i++) {
            evaluation("parts", 4).run(new Shard(i, 5));
        }
        assertThat(AnswerFile.read(folder.resolve("parts/pope/answers.5-of-5.jsonl")))
                .hasSize(4);
        int before = asked;
        evaluation("parts", 4).run();
        assertThat(asked).isEqualTo(before);
        assertThat(Files.readString(folder.resolve("parts/results.json")))
                .isEqualTo(Files.readString(folder.resolve("whole/results.json")));
        assertThat(Files.readString(folder.resolve("parts/pope/answers.jsonl")))
                .isEqualTo(Files.readString(folder.resolve("whole/pope/answers.jsonl")));

        Files.writeString(folder.resolve("parts/pope/answers.2-of-5.jsonl.manifest.json"), "{}");
        Files.delete(folder.resolve("parts/pope/answers.jsonl"));
        assertThatThrownBy(() -> evaluation("parts", 4).run())
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("answers.2-of-5.jsonl belongs to a run with another model");
    }

    @Test
    void aShardIsAsLlavaCutsIt() {
        List<Integer> all = List.of(0, 1, 2, 3, 4, 5, 6);
        assertThat(new Shard(1, 3).of(all)).containsExactly(0, 1, 2);
        assertThat(new Shard(3, 3).of(all)).containsExactly(6);
        assertThat(new Shard(5, 5).of(all)).isEmpty();
        assertThat(Shard.parse("2/8")).isEqualTo(new Shard(2, 8));
        assertThatThrownBy(() -> Shard.parse("9/8")).isInstanceOf(ConfigException.class);
        assertThatThrownBy(() -> Shard.parse("all")).hasMessageContaining("2/8");
    }

    @Test
    void reportShowsTheRunBesideThePublishedModels() throws IOException {
        Evaluation evaluation = evaluation("run", 8);
        RunResults results = evaluation.run();
        EvaluationReport report = new EvaluationReport(
                new RunComparison(Map.of("tiny", results), EvaluationReport.PAPER),
                evaluation.wrongAnswers(results),
                List.of());
        assertThat(report.text()).contains("POPE", "LLaVA-1.5 7B", "85.9");
        String html = report.html();
        assertThat(html)
                .contains("✗ wrong", "data:image/png;base64,", "By category")
                .doesNotContain("<script", "not in the files");
        report.write(folder.resolve("run"));
        assertThat(folder.resolve("run/report.md")).content().contains("| POPE | 24 |");

        RunResults better = new RunResults(
                "better",
                false,
                0,
                "",
                results.tasks().stream()
                        .map(task -> {
                            Map<String, Double> right = new HashMap<>();
                            task.perQuestion().keySet().forEach(id -> right.put(id, 1.0));
                            return new TaskResult(
                                    task.benchmark(),
                                    task.headline(),
                                    task.numbers(),
                                    task.samples(),
                                    "",
                                    List.of(),
                                    right);
                        })
                        .toList());
        Map<String, RunResults> two = new LinkedHashMap<>();
        two.put("better", better);
        two.put("tiny", results);
        assertThat(new EvaluationReport(new RunComparison(two, List.of()), Map.of(), List.of()).text())
                .contains("better against tiny")
                .containsPattern("POPE\\s+24\\s+\\+\\d+\\.\\d \\(.*<?0\\.\\d+\\s+better");
    }

    @Test
    void judgedBenchmarksWaitForRepliesOrAskTheLocalJudge() throws IOException {
        Path bench = folder.resolve("data/llava_bench");
        Files.createDirectories(bench.resolve("images"));
        Files.copy(folder.resolve("data/pope/images/p0.png"), bench.resolve("images/001.png"));
        Files.writeString(
                bench.resolve("questions.jsonl"),
                "{\"question_id\": 0, \"image\": \"001.png\", \"text\": \"What is it?\", \"category\": \"conv\"}\n");
        Files.writeString(
                bench.resolve("context.jsonl"),
                "{\"id\": \"001\", \"image\": \"001.png\", \"caption\": \"No cat.\"}\n");
        Files.writeString(
                bench.resolve("answers_gpt4.jsonl"),
                "{\"question_id\": 0, \"text\": \"A cat.\", \"answer_id\": \"x\", \"model_id\": \"gpt\"}\n");
        Files.writeString(
                bench.resolve("rule.json"),
                "{\"llava_bench_conv\": {\"role\": \"Assistant\", \"prompt\": \"Judge.\"}}");
        List<Benchmark> tasks = List.of(Benchmarks.LLAVA_BENCH);
        Judge files = new Judge("someone", null, null, null);
        assertThat(evaluation("offline", 4, 0, tasks, files).run().tasks()).isEmpty();
        assertThat(notes).singleElement().asString().contains("waits for 1 replies", "requests.jsonl");
        Path replies = folder.resolve("replies.jsonl");
        Files.writeString(replies, "{\"id\": \"1\", \"reply\": \"8 4\\nwhy\"}\n");
        RunResults judged = evaluation("offline", 4, 0, tasks, new Judge("someone", null, null, replies))
                .run();
        assertThat(judged.tasks().getFirst().value()).isEqualTo(50);
        assertThat(judged.tasks().getFirst().judge()).isEqualTo("someone");

        RunResults local = evaluation(
                        "local", 4, 0, tasks, new Judge(LocalJudge.NAME, LocalJudge.NAME, new LocalJudge(), null))
                .run();
        assertThat(local.tasks().getFirst().judge()).isEqualTo("local-word-overlap");
        assertThat(local.tasks().getFirst().value()).isPositive();
    }

    @Test
    void mmBenchIsScoredWithoutAJudgeAndAgainWithReplies() throws IOException {
        Path bench = Files.createDirectories(folder.resolve("data/mmbench"));
        String image =
                Base64.getEncoder().encodeToString(Files.readAllBytes(folder.resolve("data/pope/images/p0.png")));
        Files.writeString(bench.resolve("mmbench_dev_20230712.tsv"), """
                index\tquestion\tA\tB\tanswer\timage
                1\tWhich?\tred\tblue\tA\tI
                1000001\tWhich?\tblue\tred\tB\tI
                2\tWho?\tme\tyou\tB\tI
                """.replace("\tI\n", "\t" + image + "\n"));
        List<Benchmark> tasks = List.of(Benchmarks.MMBENCH);
        RunResults exact = evaluation("exact", 4, 0, tasks, none()).run();
        assertThat(exact.tasks().getFirst().value()).isZero();
        assertThat(exact.tasks().getFirst().judge()).isEmpty();
        assertThat(notes).singleElement().asString().contains("MMBench is scored without 3 replies of a judge");
        Path requests = folder.resolve("exact/mmbench/judge/requests.jsonl");
        assertThat(requests).content().contains("\"custom_id\":\"mmbench/1000001\"", "gpt-3.5-turbo-0613");
        assertThat(AnswerFile.read(folder.resolve("exact/mmbench/answers.jsonl"))
                        .getFirst()
                        .options())
                .containsExactly("red", "blue");
        assertThat(folder.resolve("exact/mmbench/answers.jsonl"))
                .content()
                .contains("\"round_id\": 0, \"prompt\": \"Which?\\nA. red\\nB. blue\", \"text\": ")
                .contains("\"options\": [\"red\", \"blue\"], \"option_char\": [\"A\", \"B\"], \"answer_id\": ");

        Path replies = folder.resolve("replies.jsonl");
        Files.writeString(replies, """
                {"id": "mmbench/1", "reply": "A"}
                {"id": "mmbench/1000001", "reply": "B"}
                {"id": "mmbench_cn/2", "reply": "B"}
                {"id": "2", "reply": "Z"}
                """);
        RunResults judged = evaluation("exact", 4, 0, tasks, new Judge("someone", null, null, replies))
                .run();
        assertThat(judged.tasks().getFirst().value()).isEqualTo(50);
        assertThat(judged.tasks().getFirst().judge()).isEqualTo("someone");
        assertThat(evaluation("exact", 4, 0, tasks, none())
                        .run()
                        .tasks()
                        .getFirst()
                        .value())
                .isEqualTo(50);

        RunResults local = evaluation(
                        "exact-local", 4, 0, tasks, new Judge(LocalJudge.NAME, LocalJudge.NAME, new LocalJudge(), null))
                .run();
        assertThat(local.tasks().getFirst().judge()).isEmpty();
        assertThat(folder.resolve("exact-local/mmbench/judge")).doesNotExist();
    }

    @Test
    void aTestSplitGivesAnUploadAndNoScore() throws IOException {
        Path bench = Files.createDirectories(folder.resolve("data/vqav2/test2015"));
        Files.copy(folder.resolve("data/pope/images/p0.png"), bench.resolve("0.png"));
        List<Question> asked = List.of(new Question(QuestionId.of(2), "0.png", "What?", "default"));
        QuestionFile.write(bench.resolveSibling("llava_vqav2_mscoco_test-dev2015.jsonl"), asked);
        QuestionFile.write(
                bench.resolveSibling("llava_vqav2_mscoco_test2015.jsonl"),
                List.of(new Question(QuestionId.of(1), "0.png", "Who?", "default"), asked.getFirst()));
        assertThat(evaluation("upload", 4, 0, List.of(Benchmarks.VQAV2), none())
                        .run()
                        .tasks())
                .isEmpty();
        assertThat(notes).singleElement().asString().contains("VQAv2 is not scored", "submit ");
        assertThat(folder.resolve("upload/vqav2/vqav2-upload.json"))
                .content()
                .matches(
                        "\\[\\{\"question_id\": 1, \"answer\": \"\"}, \\{\"question_id\": 2, \"answer\": \"(yes|no)\"}]");
        assertThat(EvaluationPlan.available(folder.resolve("data"))).containsExactly(Benchmarks.VQAV2, Benchmarks.POPE);
    }

    @Test
    void foldersMayHaveLlavasNames() throws IOException {
        Path bench = Files.createDirectories(folder.resolve("data/vizwiz"));
        Files.writeString(
                bench.resolve("val.json"),
                "[{\"image\": \"VizWiz_val_00000001.png\", \"question\": \"What?\", \"answerable\": 0, \"answers\": []}]");
        EvaluationPlan plan = new EvaluationPlan(
                List.of(Benchmarks.UNANSWERABLE_PLAIN, Benchmarks.POPE), folder.resolve("data"), folder, 0, 1, false);
        assertThat(plan.folder(Benchmarks.UNANSWERABLE_PLAIN)).isEqualTo(bench);
        assertThat(EvaluationPlan.available(folder.resolve("data"))).doesNotContain(Benchmarks.UNANSWERABLE_PLAIN);
        for (String name : List.of("MME", "seed_bench", "mm-vet", "llava-bench-in-the-wild")) {
            assertThat(Benchmarks.published().stream().flatMap(b -> b.filePatterns().folders().stream()))
                    .contains(name);
        }
    }

    @Test
    void namesTheFolderThatLacks() {
        assertThatThrownBy(() ->
                        evaluation("x", 4, 0, List.of(Benchmarks.GQA), none()).run())
                .isInstanceOf(DataException.class)
                .hasMessageContaining("has no folder 'gqa'");
        assertThat(EvaluationPlan.available(folder.resolve("data"))).containsExactly(Benchmarks.POPE);
    }

    @Test
    void aLimitAsksTheFirstQuestionsOnly() {
        RunResults results = evaluation("limited", 4, 5, POPE, none()).run();
        assertThat(asked).isEqualTo(5);
        assertThat(results.limit()).isEqualTo(5);
    }

    private Evaluation evaluation(String out, int batchSize) {
        return evaluation(out, batchSize, 0, POPE, none());
    }

    private static Judge none() {
        return new Judge("", null, null, null);
    }

    private Evaluation evaluation(String out, int batchSize, int limit, List<Benchmark> tasks, Judge judges) {
        EvaluationPlan plan =
                new EvaluationPlan(tasks, folder.resolve("data"), folder.resolve(out), limit, batchSize, false);
        Evaluation.Observer observer = new Evaluation.Observer() {
            @Override
            public void answered(Benchmark task, long done, long total) {}

            @Override
            public void note(String sentence) {
                notes.add(sentence);
            }
        };
        return new Evaluation(
                plan, new EvalRunner(model, "tiny", file -> new RgbImage(1, 1, new byte[3])), "tiny", judges, observer);
    }

    private Map<String, String> files(String out) throws IOException {
        Map<String, String> files = new HashMap<>();
        Path root = folder.resolve(out);
        try (var walk = Files.walk(root)) {
            for (Path file : walk.filter(Files::isRegularFile).toList()) {
                files.put(
                        root.relativize(file).toString(), new String(Files.readAllBytes(file), StandardCharsets.UTF_8));
            }
        }
        return files;
    }
}
