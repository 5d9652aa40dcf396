package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code eval --tasks} and {@code plot} on a whole random model and a handful of questions. */
class EvalTasksTest {
    @TempDir
    static Path dir;

    private static Path model;
    private static Path data;

    @BeforeAll
    static void make() throws IOException {
        model = TinyModel.write(dir);
        data = dir.resolve("data");
        Path pope = data.resolve("pope");
        Path image = Files.createDirectories(pope.resolve("images")).resolve("a.png");
        ImageIO.write(new BufferedImage(30, 20, BufferedImage.TYPE_INT_RGB), "png", image.toFile());
        Files.createDirectories(pope.resolve("coco"));
        StringBuilder questions = new StringBuilder();
        int id = 1;
        for (String split : new String[] {"adversarial", "popular", "random"}) {
            StringBuilder labels = new StringBuilder();
            for (String thing : new String[] {"cat", "dog", "cow"}) {
                String text = "Is there a %s in the image?".formatted(thing);
                labels.append("{\"label\": \"%s\", \"image\": \"a.png\", \"text\": \"%s\"}\n"
                        .formatted(thing.equals("cow") ? "no" : "yes", text));
                questions.append("{\"question_id\": %d, \"image\": \"a.png\", \"text\": \"%s\", \"category\": \"%s\"}\n"
                        .formatted(id++, text, split));
            }
            Files.writeString(pope.resolve("coco/coco_pope_" + split + ".json"), labels);
        }
        Files.writeString(pope.resolve("llava_pope_test.jsonl"), questions);
        Path bench = Files.createDirectories(data.resolve("mmbench"));
        String base64 = Base64.getEncoder().encodeToString(Files.readAllBytes(image));
        Files.writeString(bench.resolve("mmbench_dev_20230712.tsv"), """
                index\tquestion\tA\tB\tanswer\timage
                1\tWhich?\tred\tblue\tA\t%s
                1000001\tWhich?\tblue\tred\tB\t%s
                """.formatted(base64, base64));
        Path json = Files.createDirectories(data.resolve("json_answers/images"));
        Files.copy(image, json.resolve("a.png"));
        Files.writeString(
                json.resolveSibling("json_questions.jsonl"),
                "{\"question_id\": 1, \"image\": \"a.png\", \"text\": \"As JSON\", \"category\": \"default\"}\n");
        Files.writeString(
                json.resolveSibling("json_fields.jsonl"), "{\"question_id\": 1, \"fields\": {\"animal\": \"cat\"}}\n");
    }

    @Test
    void allTasksGiveResultsThatASecondRunAndShardsRepeat() throws IOException {
        Path out = dir.resolve("all");
        CliRun run = CliRun.of("eval", "-m", model, "--tasks", "all", "--data", data, "--out", out);
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out()).contains("POPE", "MMBench", "JSON answers", "report.html");
        assertThat(run.err()).contains("MMBench is scored without");
        Map<String, String> files = files(out);
        assertThat(files)
                .containsKeys(
                        "results.json",
                        "report.md",
                        "report.html",
                        "radar.svg",
                        "pope/answers.jsonl",
                        "pope/scores.json",
                        "mmbench/mmbench-upload.xlsx",
                        "mmbench/judge/requests.jsonl");
        assertThat(files.get("results.json")).contains("\"json_answers\"").doesNotContain("NaN");
        CliRun again = CliRun.of("eval", "-m", model, "--tasks", "all", "--data", data, "--out", out, "--json");
        assertThat(again.json().path("tasks")).hasSize(3);
        assertThat(files(out)).isEqualTo(files);

        Path parts = dir.resolve("parts");
        for (String shard : new String[] {"2/2", "1/2"}) {
            CliRun part =
                    CliRun.of("eval", "-m", model, "--tasks", "pope", "--data", data, "--out", parts, "--shard", shard);
            assertThat(part.code()).as(part.err()).isZero();
        }
        CliRun merged = CliRun.of("eval", "-m", model, "--tasks", "pope", "--data", data, "--out", parts);
        assertThat(merged.code()).as(merged.err()).isZero();
        assertThat(parts.resolve("pope/answers.jsonl")).hasSameTextualContentAs(out.resolve("pope/answers.jsonl"));

        CliRun plot = CliRun.of("plot", "--runs", out, parts, "--out", dir.resolve("plots"));
        assertThat(plot.code()).as(plot.err()).isZero();
        assertThat(plot.out()).contains("against", "noise");
        assertThat(dir.resolve("plots/report.md")).content().contains("| POPE | 9 | **+0.0 (+0.0 to +0.0)** | 0 | 0 |");
        CliRun score = CliRun.of(
                "score",
                "pope",
                "--folder",
                data.resolve("pope"),
                "--answers",
                out.resolve("pope/answers.jsonl"),
                "--strict");
        assertThat(score.code()).as(score.err()).isZero();
        assertThat(score.out()).contains("POPE: 9 answers", "official", "strict", "random/f1");
    }

    /** With and without the option, and beside a task that does not ask for text. */
    @Test
    void aTaskThatAsksForTextIsWarnedOfWhereTokensArePruned() throws IOException {
        Path tasks = dir.resolve("pruned");
        Path textvqa = Files.createDirectories(tasks.resolve("textvqa/images"));
        Files.copy(data.resolve("pope/images/a.png"), textvqa.resolve("a.jpg"));
        Files.writeString(
                textvqa.resolveSibling("TextVQA_0.5.1_val.json"),
                "{\"data\": [{\"image_id\": \"a\", \"question_id\": 1, \"question\": \"what colour?\", \"answers\": [%s]}]}"
                        .formatted(String.join(",", Collections.nCopies(10, "\"red\""))));
        Files.writeString(
                textvqa.resolveSibling("llava_textvqa_val_v051_ocr.jsonl"),
                "{\"question_id\": \"a\", \"image\": \"a.jpg\", \"text\": \"what colour?\\nReference OCR token: STOP\\nAnswer"
                        + " the question using a single word or phrase.\"}\n");
        String warning = "Warning: textvqa asks for text in images, for which 3 image tokens may not be enough";
        CliRun whole = CliRun.of("eval", "-m", model, "--tasks", "textvqa", "--data", tasks, "--out", dir.resolve("w"));
        assertThat(whole.code()).as(whole.err()).isZero();
        assertThat(whole.err()).doesNotContain("Warning: ");
        CliRun pruned = CliRun.of(
                "eval",
                "-m",
                model,
                "--tasks",
                "textvqa",
                "--data",
                tasks,
                "--out",
                dir.resolve("p"),
                "--vision-tokens",
                "3");
        assertThat(pruned.code()).as(pruned.err()).isZero();
        assertThat(pruned.err()).contains(warning);
        CliRun pope = CliRun.of(
                "eval",
                "-m",
                model,
                "--tasks",
                "pope",
                "--data",
                data,
                "--out",
                dir.resolve("n"),
                "--vision-tokens",
                "3");
        assertThat(pope.code()).as(pope.err()).isZero();
        assertThat(pope.err()).doesNotContain("asks for text");
    }

    @Test
    void whatCannotBeRunIsSaidInOneSentence() {
        Path out = dir.resolve("nothing");
        isOneSentence(1, "has no folder 'gqa'", "eval", "-m", model, "--tasks", "gqa", "--data", data, "--out", out);
        isOneSentence(1, "no task", "eval", "-m", model, "--tasks", "all", "--data", model, "--out", out);
        isOneSentence(1, "limit", "eval", "-m", model, "--tasks", "pope", "--data", data, "--out", out, "--limit", -1);
        isOneSentence(
                1, "shard", "eval", "-m", model, "--tasks", "pope", "--data", data, "--out", out, "--shard", "3/2");
        isOneSentence(1, "has neither results.json", "plot", "--runs", model, "--out", out);
        CliRun unknown = CliRun.of("eval", "-m", model, "--tasks", "popo", "--data", data, "--out", out);
        assertThat(unknown.code()).isNotZero();
        assertThat(unknown.err()).contains("no benchmark is called 'popo'");
        CliRun both = CliRun.of(
                "eval", "-m", model, "--tasks", "pope", "--data", data, "--out", out, "--questions", "q.jsonl");
        assertThat(both.code()).isEqualTo(2);
        assertThat(out).doesNotExist();
    }

    private static void isOneSentence(int code, String part, Object... arguments) {
        CliRun run = CliRun.of(arguments);
        assertThat(run.code()).as(run.err()).isEqualTo(code);
        assertThat(run.err()).contains(part);
        assertThat(run.err().lines()).hasSize(1);
    }

    private static Map<String, String> files(Path root) throws IOException {
        Map<String, String> files = new TreeMap<>();
        try (Stream<Path> walk = Files.walk(root)) {
            for (Path file : walk.filter(Files::isRegularFile).toList()) {
                // The sheet is a zip with a date in it.
                boolean zip = file.toString().endsWith(".xlsx");
                files.put(
                        root.relativize(file).toString(),
                        zip ? "" : Files.readString(file, StandardCharsets.ISO_8859_1));
            }
        }
        return files;
    }
}
