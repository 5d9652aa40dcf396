package io.llava4j.nano.benchmark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.DataException;
import io.llava4j.eval.Benchmark;
import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.AnswerFile;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.judge.JudgeRequest;
import io.llava4j.eval.judge.LlavaBench;
import io.llava4j.eval.judge.MmVet;
import io.llava4j.eval.run.CustomBenchmark;
import io.llava4j.eval.run.EvaluationPlan;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import io.llava4j.eval.transport.LocalJudge;
import io.llava4j.image.ImageDecoder;
import io.llava4j.image.RgbImage;
import io.llava4j.nano.raw.NanoWorld;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Every nano benchmark through the official format's reader and scorer. */
class NanoBenchmarkFilesTest {
    private static final NanoBenchmarkOptions SMALL = new NanoBenchmarkOptions(5, 48, 0.12);
    private static final JsonMapper JSON = JsonMapper.builder().build();

    @TempDir
    static Path dir;

    private static Path data;
    private static NanoWorld.Result written;

    @BeforeAll
    static void write() {
        data = dir.resolve("benchmarks");
        written = NanoBenchmarkFiles.write(data, SMALL, 2, (done, total) -> {});
    }

    static Stream<Benchmark> twelve() {
        return Benchmarks.published().stream();
    }

    /** The best score of each in the unit it is published in. */
    private static double best(Benchmark benchmark) {
        return benchmark.equals(Benchmarks.MME) ? 2000 : 100;
    }

    @Test
    void allTwelveAreThereAndSayThatTheyAreNotOfficial() {
        assertThat(EvaluationPlan.available(data)).containsExactlyElementsOf(Benchmarks.published());
        assertThat(written.counts().keySet())
                .containsExactlyInAnyOrderElementsOf(
                        Benchmarks.published().stream().map(Benchmark::name).toList());
        for (Benchmark benchmark : Benchmarks.published()) {
            CustomBenchmark said =
                    CustomBenchmark.of(data.resolve(benchmark.name())).orElseThrow();
            assertThat(said.note()).contains("Nano");
            assertThat(said.localJudge()).isTrue();
        }
    }

    @Test
    void sameBytesWithAnyNumberOfThreadsAndKeptWhenUpToDate() throws IOException {
        Path again = dir.resolve("again");
        NanoBenchmarkFiles.write(again, SMALL, 1, (done, total) -> {});
        Map<String, byte[]> first = files(data);
        Map<String, byte[]> second = files(again);
        assertThat(second.keySet()).isEqualTo(first.keySet());
        first.forEach((name, bytes) -> assertThat(second.get(name)).as(name).isEqualTo(bytes));

        NanoWorld.Result kept = NanoBenchmarkFiles.write(again, SMALL, 1, (done, total) -> {});
        assertThat(kept.reused()).isTrue();
        assertThat(kept.counts()).isEqualTo(written.counts());

        Path occupied = Files.createDirectories(dir.resolve("occupied"));
        Files.writeString(occupied.resolve("mine.txt"), "keep");
        assertThatThrownBy(() -> NanoBenchmarkFiles.write(occupied, SMALL, 1, (done, total) -> {}))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("holds something else than nano benchmarks");
        assertThat(occupied.resolve("mine.txt")).hasContent("keep");
    }

    /** LLaVA's question file asks what is made of the official files, but for MME in the same order. */
    @ParameterizedTest
    @MethodSource("twelve")
    void questionFileAndOfficialFilesGiveTheSameQuestions(Benchmark benchmark) throws IOException {
        Path folder = data.resolve(benchmark.name());
        List<Question> questions = benchmark.questions(folder);
        assertThat(questions).isNotEmpty().doesNotHaveDuplicates();
        Path file = benchmark.files(folder).find(FileRole.QUESTIONS);
        boolean hasOfficial = !benchmark.equals(Benchmarks.LLAVA_BENCH);
        if (file != null && hasOfficial && !file.toString().endsWith("_questions.json")) {
            Path copy = dir.resolve("official/" + benchmark.name());
            copy(folder, copy);
            Files.delete(copy.resolve(folder.relativize(file)));
            List<Question> official = benchmark.questions(copy);
            assertThat(official).containsExactlyInAnyOrderElementsOf(questions);
            assertThat(official.equals(questions)).isEqualTo(!benchmark.equals(Benchmarks.MME));
        }
        for (Question question : questions) {
            assertThat(question.text()).endsWith(benchmark.responseFormat());
        }
    }

    @ParameterizedTest
    @MethodSource("twelve")
    void everyImageCanBeRead(Benchmark benchmark) {
        Path folder = data.resolve(benchmark.name());
        Path root = benchmark.images(folder, dir.resolve("pictures/" + benchmark.name()));
        Set<String> names = new HashSet<>();
        benchmark.questions(folder).forEach(question -> {
            if (question.image() != null) {
                names.add(question.image());
            }
        });
        assertThat(names).isNotEmpty();
        for (String name : names) {
            RgbImage image = ImageDecoder.decode(root.resolve(name));
            assertThat(image.width()).as(name).isEqualTo(48);
        }
    }

    @ParameterizedTest
    @MethodSource("twelve")
    void perfectAnswersScoreTheMost(Benchmark benchmark) throws IOException {
        Path folder = data.resolve(benchmark.name());
        Function<Question, String> truth = truths(benchmark, folder);
        Score score = score(benchmark, folder, "perfect", truth);
        assertThat(score.warnings()).isEmpty();
        if (benchmark.equals(Benchmarks.LLAVA_BENCH)) {
            // The answers are those that the judge compares with: as good as the reference, by any rule.
            assertThat(value(benchmark, score)).isGreaterThanOrEqualTo(100);
        } else {
            assertThat(value(benchmark, score)).isEqualTo(best(benchmark), within(1e-9));
        }
    }

    /** What a model that always says the same gets, whatever the questions. */
    @ParameterizedTest
    @MethodSource("twelve")
    void constantAnswersScoreWhatTheyMust(Benchmark benchmark) throws IOException {
        Path folder = data.resolve(benchmark.name());
        switch (benchmark.name()) {
            case "pope" -> {
                Score yes = score(benchmark, folder, "yes", question -> "Yes");
                assertThat(yes.numbers().get("accuracy")).isEqualTo(0.5);
                assertThat(yes.numbers().get("f1")).isEqualTo(2.0 / 3, within(1e-12));
                assertThat(yes.numbers().get("adversarial/yes_ratio")).isEqualTo(1.0);
            }
            case "mme" -> {
                Score yes = score(benchmark, folder, "yes", question -> "Yes");
                assertThat(yes.numbers().get("perception")).isEqualTo(500);
                assertThat(yes.numbers().get("cognition")).isEqualTo(200);
            }
            case "mmbench", "mmbench_cn" ->
                assertThat(value(benchmark, score(benchmark, folder, "a", question -> "A")))
                        .isZero();
            case "vizwiz" -> {
                Score score = score(benchmark, folder, "unanswerable", question -> "Unanswerable");
                long unanswerable = annotations(folder.resolve("val.json")).stream()
                        .filter(record -> record.path("answerable").asInt() == 0)
                        .count();
                assertThat(unanswerable).isPositive();
                double share = 100.0 * unanswerable / score.samples();
                assertThat(value(benchmark, score)).isEqualTo(share, within(0.01));
            }
            case "scienceqa", "seed" -> {
                Score score = score(benchmark, folder, "b", question -> "B");
                Function<Question, String> truths = truths(benchmark, folder);
                List<Question> counted = benchmark.questions(folder).stream()
                        .filter(question -> question.image() != null)
                        .toList();
                double share = 100.0
                        * counted.stream()
                                .filter(q -> truths.apply(q).equals("B"))
                                .count()
                        / counted.size();
                assertThat(value(benchmark, score)).isEqualTo(share, within(0.01));
            }
            case "llava_bench" -> {
                // One point, the least there is, beside those of the reference.
                double value = value(benchmark, score(benchmark, folder, "x", question -> "xyzzy"));
                assertThat(value).isBetween(10.0, 20.0);
            }
            default ->
                assertThat(value(benchmark, score(benchmark, folder, "x", question -> "xyzzy")))
                        .isZero();
        }
    }

    /** Rotations are rows: every option is right once, and the text of the right one stays. */
    @Test
    void mmbenchRotates() {
        Map<Long, List<JsonNode>> groups = new TreeMap<>();
        for (JsonNode row : table(data.resolve("mmbench/mmbench_dev_20230712.tsv"))) {
            groups.computeIfAbsent(row.path("index").asLong() % 1_000_000, g -> new ArrayList<>())
                    .add(row);
        }
        assertThat(groups).hasSizeGreaterThan(9);
        groups.values().forEach(rows -> {
            Set<String> letters = new HashSet<>();
            Set<String> texts = new HashSet<>();
            for (JsonNode row : rows) {
                letters.add(row.path("answer").asString());
                texts.add(row.path(row.path("answer").asString()).asString());
            }
            assertThat(letters).hasSize(rows.size());
            assertThat(texts).hasSize(1);
        });
        assertThat(groups.values().stream().map(List::size)).contains(2, 4);
        List<JsonNode> chinese = table(data.resolve("mmbench_cn/mmbench_dev_cn_20231003.tsv"));
        assertThat(chinese)
                .allSatisfy(row -> assertThat(row.path("question").asString()).matches("(?s).*\\p{IsHan}.*"));
    }

    private static double value(Benchmark benchmark, Score score) {
        return benchmark.publishedScale() * score.numbers().getOrDefault(score.headline(), Double.NaN);
    }

    private static Score score(Benchmark benchmark, Path folder, String name, Function<Question, String> says)
            throws IOException {
        Path answers = dir.resolve("answers/" + benchmark.name() + "-" + name + ".jsonl");
        AnswerFile.write(
                answers,
                benchmark.questions(folder).stream()
                        .map(question -> new Answer(
                                question.id(), benchmark.recordedPrompt(question), says.apply(question), "x", "test"))
                        .toList());
        BenchmarkFiles files = benchmark.files(folder);
        return benchmark.scorer().score(new ScoreInput(files, answers, replies(benchmark, files, answers), false));
    }

    /** What the local judge says; null where nobody is asked. */
    private static @Nullable Path replies(Benchmark benchmark, BenchmarkFiles files, Path answers) throws IOException {
        StringBuilder replies = new StringBuilder();
        Function<JudgeRequest, String> judge = request -> {
            String reply = new LocalJudge().apply(request);
            replies.append(JSON.writeValueAsString(Map.of("id", request.id(), "reply", reply)))
                    .append('\n');
            return reply;
        };
        if (benchmark.equals(Benchmarks.LLAVA_BENCH)) {
            LlavaBench.review(LlavaBench.items(files, answers), List.of(), judge);
        } else if (benchmark.equals(Benchmarks.MM_VET)) {
            MmVet.grade(files, answers, judge);
        } else {
            return null;
        }
        return Files.writeString(answers.resolveSibling(benchmark.name() + "-replies.jsonl"), replies);
    }

    /** The truth of each question, taken from the official files by id. */
    private static Function<Question, String> truths(Benchmark benchmark, Path folder) {
        Map<String, String> byId = new HashMap<>();
        BenchmarkFiles files = benchmark.files(folder);
        Path annotations = Objects.requireNonNullElse(files.find(FileRole.ANNOTATIONS), folder);
        switch (benchmark.name()) {
            case "vqav2" ->
                annotations(annotations)
                        .forEach(record -> byId.put(
                                record.path("question_id").asString(),
                                record.path("multiple_choice_answer").asString()));
            case "gqa" ->
                JSON.readTree(annotations)
                        .properties()
                        .forEach(e ->
                                byId.put(e.getKey(), e.getValue().path("answer").asString()));
            case "vizwiz" -> {
                List<JsonNode> all = annotations(annotations);
                for (int i = 0; i < all.size(); i++) {
                    byId.put(Integer.toString(i), mostSaid(all.get(i)));
                }
            }
            case "textvqa" ->
                annotations(annotations)
                        .forEach(record -> byId.put(
                                record.path("image_id").asString(),
                                record.path("answers").path(0).asString()));
            case "scienceqa" ->
                JSON.readTree(annotations)
                        .properties()
                        .forEach(e -> byId.put(
                                e.getKey(),
                                Character.toString(
                                        'A' + e.getValue().path("answer").asInt())));
            case "pope" -> {
                for (Question question : benchmark.questions(folder)) {
                    byId.put(question.id().value(), popeTruth(folder, question));
                }
            }
            case "mmbench", "mmbench_cn" ->
                table(annotations)
                        .forEach(row -> byId.put(
                                row.path("index").asString(), row.path("answer").asString()));
            case "seed" ->
                annotations(annotations)
                        .forEach(record -> byId.put(
                                record.path("question_id").asString(),
                                record.path("answer").asString()));
            case "llava_bench" ->
                lines(files.require(FileRole.REFERENCE_ANSWERS))
                        .forEach(record -> byId.put(
                                record.path("question_id").asString(),
                                record.path("text").asString()));
            case "mm_vet" ->
                JSON.readTree(annotations)
                        .properties()
                        .forEach(e -> byId.put(
                                e.getKey().substring(3),
                                e.getValue()
                                        .path("answer")
                                        .asString()
                                        .replaceAll("<OR>[^<]*", "")
                                        .replace("<AND>", ", ")));
            default -> {
                // MME's stand in text files
            }
        }
        return question -> benchmark.equals(Benchmarks.MME)
                ? mmeTruth(folder, question)
                : Objects.requireNonNull(byId.get(question.id().value()), question.id()::value);
    }

    private static String popeTruth(Path folder, Question question) {
        String text = question.text().lines().findFirst().orElse("");
        return lines(folder.resolve("coco/coco_pope_" + question.category() + ".json")).stream()
                .filter(label -> label.path("image").asString().equals(question.image())
                        && label.path("text").asString().equals(text))
                .map(label -> label.path("label").asString())
                .findFirst()
                .orElseThrow();
    }

    private static String mmeTruth(Path folder, Question question) {
        String image = Objects.requireNonNull(question.image());
        Path file = folder.resolve("MME_Benchmark_release_version/"
                + image.replace("/images/", "/questions_answers_YN/").replace(".jpg", ".txt"));
        try {
            return Files.readAllLines(file).stream()
                    .filter(line ->
                            line.startsWith(question.text().lines().findFirst().orElse("") + " Please"))
                    .map(line -> line.substring(line.indexOf('\t') + 1))
                    .findFirst()
                    .orElseThrow();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static String mostSaid(JsonNode record) {
        Map<String, Integer> counts = new LinkedHashMap<>();
        record.path("answers")
                .forEach(answer -> counts.merge(answer.path("answer").asString(), 1, Integer::sum));
        return counts.entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .orElseThrow()
                .getKey();
    }

    /** The records of a list, or of the list in an object. */
    private static List<JsonNode> annotations(Path file) {
        JsonNode tree = JSON.readTree(file);
        JsonNode list = tree.isArray()
                ? tree
                : tree.valueStream().filter(JsonNode::isArray).findFirst().orElseThrow();
        return list.valueStream().toList();
    }

    private static List<JsonNode> lines(Path file) {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.map(JSON::readTree).toList();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Rows by column; no cell of these tables has a line break. */
    private static List<JsonNode> table(Path file) {
        try {
            List<String> lines = Files.readAllLines(file);
            List<String> columns = List.of(lines.getFirst().split("\t", -1));
            List<JsonNode> rows = new ArrayList<>();
            for (String line : lines.subList(1, lines.size())) {
                String[] cells = line.split("\t", -1);
                Map<String, String> row = new LinkedHashMap<>();
                for (int i = 0; i < cells.length; i++) {
                    row.put(columns.get(i), cells[i]);
                }
                rows.add(JSON.valueToTree(row));
            }
            return rows;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static Map<String, byte[]> files(Path root) throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        try (Stream<Path> walk = Files.walk(root)) {
            for (Path file : walk.filter(Files::isRegularFile).toList()) {
                files.put(root.relativize(file).toString(), Files.readAllBytes(file));
            }
        }
        return files;
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> walk = Files.walk(from)) {
            for (Path path : walk.sorted(Comparator.naturalOrder()).toList()) {
                Path target = to.resolve(from.relativize(path));
                if (Files.isDirectory(path)) {
                    Files.createDirectories(target);
                } else {
                    Files.write(target, Files.readAllBytes(path));
                }
            }
        }
    }
}
