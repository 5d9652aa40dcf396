package io.llava4j.eval.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.LlavaException;
import io.llava4j.eval.Benchmark;
import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionId;
import io.llava4j.eval.pope.PopeScore;
import io.llava4j.eval.vqa.VqaScore;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ReportTest {
    @TempDir
    Path folder;

    @Test
    void resultsFileHasTheNumbersByName() {
        Path file = folder.resolve("results.json");
        results().write(file);
        JsonNode json = JsonMapper.builder().build().readTree(file.toFile());

        assertThat(json.get("vqa_accuracy").doubleValue()).isEqualTo(70.5);
        assertThat(json.get("vqa_accuracy_blind").doubleValue()).isEqualTo(38.25);
        assertThat(json.get("vqa_accuracy_before").doubleValue()).isEqualTo(4.0);
        assertThat(json.get("pope_accuracy").doubleValue()).isCloseTo(80, within(1e-9));
        assertThat(json.get("pope_accuracy_blind").doubleValue()).isCloseTo(50, within(1e-9));
        assertThat(json.get("pope_f1").doubleValue()).isCloseTo(80, within(1e-9));
        assertThat(json.get("vqa_by_question_type").get("count").get("sighted").doubleValue())
                .isEqualTo(61.2);
        assertThat(json.get("vqa_by_question_type")
                        .get("count")
                        .get("questions")
                        .intValue())
                .isEqualTo(2);
        assertThat(json.get("pope_by_split")
                        .get("random")
                        .get("blind")
                        .get("yes_ratio")
                        .doubleValue())
                .isEqualTo(100);
        assertThat(json.get("samples").get("pope_questions").intValue()).isEqualTo(300);
        assertThat(json.get("seconds").doubleValue()).isEqualTo(692.4);
        assertThat(json.get("peak_rss_bytes").longValue()).isEqualTo(2_950_000_000L);
        assertThat(json.get("notes").get(0).stringValue()).startsWith("2 images");
    }

    @Test
    void pageNeedsNothingButItselfAndEscapesWhatModelsSay() throws Exception {
        Path file = Path.of("target/sample-report.html");
        HtmlReport.write(file, data());
        String html = Files.readString(file);

        assertThat(html)
                .doesNotContain("<script")
                .doesNotContainPattern("src=\"(?!data:)")
                .doesNotContainPattern("href=\"(?!#chat\"|http://127.0.0.1:8080/\")")
                .doesNotContain("url(")
                .contains("&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;")
                .contains("nano")
                .contains("<html lang=\"en\">")
                .contains("prefers-color-scheme: dark");
        assertThat(html.split("<img alt=\"Image for the question", -1)).hasSize(25);
        assertThat(html.split("<svg ", -1)).hasSize(4);
        assertThat(html.split("aria-label=\"Stage", -1)).hasSize(3);
        assertThat(html).contains("70.5").contains("38.3").contains("Of these 24 answers 18 are right");
    }

    @Test
    void theDemosPageStartsWithAnswersThenShowsNumbersAndEndsWithTheChat() throws Exception {
        String html = HtmlReport.render(data());

        assertThat(html)
                .containsSubsequence(
                        "nano-LLaVA learns to see</h1>",
                        "<a href=\"#chat\">",
                        "<h2>Right and wrong answers",
                        "✓ right",
                        "✗ wrong",
                        "<summary>12 more</summary>",
                        "<h2>What it scores</h2>",
                        "POPE accuracy",
                        "class=\"radar\"",
                        "<table>",
                        "<h2>How it was trained</h2>",
                        "<h2>Sighted, blind, and before stage 2</h2>",
                        "<h2>Recipe and run</h2>",
                        "<section id=\"chat\">",
                        "./llava serve -m runs/demo/model",
                        "<a href=\"http://127.0.0.1:8080/\">http://127.0.0.1:8080/</a>",
                        "works while the command runs",
                        "./llava chat -m runs/demo/model");
    }

    @Test
    void benchmarksWhereThePairedTestFindsNoGainOverTheBlindModelAreMarked() {
        RunComparison comparison = results().comparison().orElseThrow();

        assertThat(comparison.withoutSignal()).containsExactlyInAnyOrder(Benchmarks.MME, Benchmarks.MM_VET);
        ResultTable paired = comparison.comparison("blind");
        for (List<String> row : paired.rows()) {
            boolean better = row.getLast().equals("better");
            assertThat(comparison.overview().rows())
                    .anyMatch(shown ->
                            shown.getFirst().equals(better ? row.getFirst() : row.getFirst() + " ○ no signal"));
        }
        String radar = comparison.radar();
        assertThat(radar.split("class=\"spoke no-signal\"", -1)).hasSize(3);
        assertThat(radar)
                .contains(">○ MME<", ">○ MM-Vet<", ">50.0, no signal<", "no signal: MME, MM-Vet", ">POPE<")
                .contains("not better than the same model without images (paired test, 95 %)");
        // Two corners and the legend's.
        assertThat(radar.split("class=\"hollow\"", -1)).hasSize(4);
        assertThat(comparison.legend()).isEqualTo("○ " + RunComparison.NO_SIGNAL + ".\n");
    }

    @Test
    void runsSideBySideAreMarkedOnlyAgainstTheSameModelWithoutImages() {
        RunResults sighted =
                new RunResults("m", false, 0, "", List.of(task(Benchmarks.MME, 50), task(Benchmarks.GQA, 70)));
        RunResults blind =
                new RunResults("m", true, 0, "", List.of(task(Benchmarks.MME, 49), task(Benchmarks.GQA, 20)));
        RunResults other = new RunResults("n", true, 0, "", blind.tasks());
        RunResults fewer = new RunResults("m", true, 0, "", List.of(task(Benchmarks.GQA, 20)));

        EvaluationReport report = report(sighted, blind);
        assertThat(report.text())
                .contains("MME ○ no signal", "\n○ no signal: not better")
                .doesNotContain("GQA ○");
        assertThat(report.markdown()).contains("| MME ○ no signal | 100 |", "\n○ no signal: not better");
        assertThat(report.html())
                .contains(
                        "<p class=\"mark\">○ no signal: not better",
                        "MME <span class=\"nowrap\">○ no signal</span></th>");
        assertThat(report(sighted, other).html()).doesNotContain("○");
        assertThat(report(blind, sighted).html()).doesNotContain("○");
        assertThat(report(sighted, fewer).html()).doesNotContain("○");
        assertThat(new RunComparison(Map.of("a", sighted), List.of()).legend()).isEmpty();
    }

    private static EvaluationReport report(RunResults first, RunResults second) {
        Map<String, RunResults> runs = new LinkedHashMap<>();
        runs.put("a", first);
        runs.put("b", second);
        return new EvaluationReport(new RunComparison(runs, List.of()), Map.of(), List.of());
    }

    @Test
    void aSampleShowsAllImagesOfItsQuestion() throws Exception {
        ReportSample sample = new ReportSample(
                List.of(
                        new ReportSample.Image(image(1), "image/png"),
                        new ReportSample.Image(new byte[] {1}, "image/jpeg")),
                "Are they the same?",
                "no",
                "yes",
                "",
                0);

        assertThat(HtmlParts.cards(List.of(sample)))
                .containsSubsequence(
                        "<div class=\"images several\">",
                        "alt=\"Image 1 of 2 for the question: Are they the same?\" src=\"data:image/png;base64,iVBOR",
                        "alt=\"Image 2 of 2 for the question: Are they the same?\" src=\"data:image/jpeg;base64,AQ==\"",
                        "✗ wrong");
        assertThatThrownBy(() -> new ReportSample(List.of(), "?", "", "", "", 0))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> ReportSample.Image.read(folder.resolve("a.gif")))
                .hasMessageContaining("a report shows PNG and JPEG");
    }

    @Test
    void samplesAreChosenBySeedWithoutRepeatingImages() {
        List<Question> questions = IntStream.range(0, 90)
                .mapToObj(i -> new Question(QuestionId.of(i), i % 9 == 0 ? null : (i % 30) + ".png", "?", "default"))
                .toList();
        List<Question> chosen = ReportSample.choose(questions, 24, 5);
        assertThat(chosen).hasSize(24).isEqualTo(ReportSample.choose(questions, 24, 5));
        assertThat(chosen).isNotEqualTo(ReportSample.choose(questions, 24, 6));
        assertThat(chosen.stream().map(Question::image).collect(Collectors.toCollection(() -> new HashSet<>())))
                .hasSize(24)
                .doesNotContainNull();
        assertThat(ReportSample.choose(questions.subList(0, 5), 24, 5)).hasSize(4);
    }

    @Test
    void chartsArePngs() throws Exception {
        Assumptions.assumeTrue(fontsAreHere(), "this machine has no fonts");
        Map<String, byte[]> charts = Map.of(
                "loss", Charts.loss(curve("Stage 1: projector", 120, 1e-3), false),
                "loss-log", Charts.loss(curve("Stage 2: instruction tuning", 700, 2e-4), true),
                "learning-rate", Charts.learningRate(curve("Stage 2: instruction tuning", 700, 2e-4)),
                "question-types", Charts.questionTypes(results()));
        for (Map.Entry<String, byte[]> chart : charts.entrySet()) {
            Files.write(Path.of("target/sample-" + chart.getKey() + ".png"), chart.getValue());
            BufferedImage image = ImageIO.read(new ByteArrayInputStream(chart.getValue()));
            assertThat(image.getWidth()).isEqualTo(1200);
            Set<Integer> colors = IntStream.range(0, image.getWidth())
                    .map(x -> image.getRGB(x, image.getHeight() / 2))
                    .boxed()
                    .collect(Collectors.toSet());
            assertThat(colors).hasSizeGreaterThan(2);
        }
    }

    @Test
    void smoothingStartsAtTheFirstLossAndSkipsNaN() {
        TrainingCurve curve =
                new TrainingCurve("s", new double[] {0, 1, 2}, new double[] {4, Double.NaN, 4}, new double[] {0, 0, 0});
        assertThat(curve.smoothed()).containsExactly(new double[] {4, 4, 4}, within(1e-12));
        assertThat(SvgCurves.draw(curve)).contains("<path class=\"raw\" d=\"M").doesNotContain("NaN");
    }

    private static boolean fontsAreHere() {
        try {
            return Charts.questionTypes(results()).length > 0;
        } catch (LlavaException e) {
            assertThat(e).hasMessageContaining("install fontconfig and a font");
            return false;
        }
    }

    private static ReportData data() throws Exception {
        List<ReportSample> samples = new ArrayList<>();
        String[][] asked = {
            {"What color is the umbrella?", "red", "red", "blue"},
            {"How many apples are there?", "3", "2", "2"},
            {"Is there a cat in the image?", "yes", "yes", "yes"},
            {"What is to the left of the bicycle?", "fire truck", "fire truck", "dog"},
            {"What word is written on the sign?", "HARBOUR", "<script>alert('&')</script>", "open"},
            {"Which of these is in the image: a violin, a canoe, a pineapple or a hedgehog?", "hedgehog", "hedgehog", ""
            }
        };
        for (int i = 0; i < 24; i++) {
            String[] row = asked[i % asked.length];
            boolean right = row[1].equals(row[2]) || i % 12 == 1;
            samples.add(new ReportSample(
                    List.of(new ReportSample.Image(image(i), "image/png")),
                    row[0],
                    row[1],
                    right ? row[1] : row[2],
                    row[3],
                    right ? 1 : 0));
        }
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("Parameters", "8.9 million");
        facts.put("Vision tower", "6 layers × 192, 112 px, patch 14");
        facts.put("Projector", "mlp2x_gelu");
        facts.put("Decoder", "6 layers × 256, vocabulary 4 096");
        facts.put("Stage 1", "12 000 caption pairs, batch 64, 1e-3");
        facts.put("Stage 2", "45 000 conversations, batch 32, 2e-4");
        facts.put("Held out", "two artists' drawings, 350 images");
        facts.put("Seed", "42");
        List<ReportData.Command> commands = List.of(
                new ReportData.Command(
                        "./llava serve -m runs/demo/model", "Chat in the browser.", "http://127.0.0.1:8080/"),
                new ReportData.Command("./llava chat -m runs/demo/model --image image.png", "Chat in the terminal."));
        return new ReportData(
                "nano-LLaVA learns to see",
                "LLaVA-1.5's own architecture, recipe and scoring at nano size: a model of 8.9 million parameters, trained"
                        + " here from drawn scenes and asked about images by artists it has never met. The numbers are"
                        + " nano and not comparable with published LLaVA-1.5 results.",
                results(),
                List.of(
                        curve("Stage 1: projector on captions", 190, 1e-3),
                        curve("Stage 2: projector and decoder on instructions", 1400, 2e-4)),
                samples,
                "24 questions drawn by seed before the model answered, one per image, right and wrong as they fell.",
                facts,
                commands,
                "llava4j 0.1.0, Java 25.0.1, 2 processors, 22 November 2026");
    }

    private static Results results() {
        Map<String, double[]> types = new LinkedHashMap<>();
        types.put("existence", new double[] {84.1, 51.0, 0.3});
        types.put("count", new double[] {61.2, 33.9, 1.1});
        types.put("colour", new double[] {78.6, 21.4, 0});
        types.put("position", new double[] {58.0, 30.7, 4.0});
        types.put("category", new double[] {66.3, 4.8, 9.5});
        types.put("choice", new double[] {74.9, 26.0, 12});
        double[] overall = {70.5, 38.25, 4};
        Map<Condition, VqaScore> vqa = new EnumMap<>(Condition.class);
        Map<Condition, PopeScore> pope = new EnumMap<>(Condition.class);
        for (Condition condition : Condition.values()) {
            int c = List.of(Condition.values()).indexOf(condition);
            Map<String, Double> perType = new LinkedHashMap<>();
            Map<String, Integer> counts = new LinkedHashMap<>();
            Map<QuestionId, Double> perQuestion = new LinkedHashMap<>();
            types.forEach((type, values) -> {
                perType.put(type, values[c]);
                counts.put(type, 2);
                perQuestion.put(QuestionId.of(type + 1), values[c]);
                perQuestion.put(QuestionId.of(type + 2), values[c]);
            });
            vqa.put(
                    condition,
                    new VqaScore(
                            overall[c],
                            perType,
                            Map.of("other", overall[c]),
                            counts,
                            Map.of("other", 12),
                            perQuestion));
            if (condition != Condition.BEFORE) {
                PopeScore.SplitScore split = condition == Condition.SIGHTED
                        ? new PopeScore.SplitScore(100, 50, 40, 10, 40, 10)
                        : new PopeScore.SplitScore(100, 100, 50, 50, 0, 0);
                Map<String, PopeScore.SplitScore> splits = new TreeMap<>();
                List.of("random", "popular", "adversarial").forEach(name -> splits.put(name, split));
                Map<QuestionId, Boolean> parsed = new LinkedHashMap<>();
                IntStream.range(0, 300).forEach(i -> parsed.put(QuestionId.of(i), true));
                pope.put(condition, new PopeScore(splits, parsed, List.of()));
            }
        }
        return new Results(
                "nano",
                vqa,
                pope,
                benchmarks(),
                692.4,
                2_950_000_000L,
                List.of("2 images could not be decoded and were left out."));
    }

    /** The sighted model is better than the blind one but for MME, where it is the same, and MM-Vet, where it is worse. */
    private static Map<Condition, RunResults> benchmarks() {
        Map<Condition, RunResults> runs = new EnumMap<>(Condition.class);
        for (Condition condition : Condition.values()) {
            List<TaskResult> tasks = Benchmarks.published().stream()
                    .map(benchmark -> {
                        boolean same = benchmark == Benchmarks.MME;
                        boolean worse = benchmark == Benchmarks.MM_VET;
                        int right =
                                condition == Condition.BEFORE ? 5 : (condition == Condition.SIGHTED) != worse ? 70 : 40;
                        return task(benchmark, same ? 50 : right);
                    })
                    .toList();
            runs.put(
                    condition,
                    new RunResults("nano" + condition.suffix(), condition == Condition.BLIND, 0, "nano", tasks));
        }
        return runs;
    }

    /** A task of a hundred questions, of which the first are right. */
    private static TaskResult task(Benchmark benchmark, int right) {
        Map<String, Double> credits = new LinkedHashMap<>();
        IntStream.range(0, 100).forEach(i -> credits.put("q" + i, i < right ? 1.0 : 0));
        return new TaskResult(
                benchmark, "number", Map.of("number", right / benchmark.publishedScale()), 100, "", List.of(), credits);
    }

    private static TrainingCurve curve(String name, int count, double peak) {
        Random random = new Random(count);
        double[] steps = new double[count];
        double[] loss = new double[count];
        double[] rate = new double[count];
        int warmUp = (int) Math.ceil(0.03 * count);
        for (int i = 0; i < count; i++) {
            steps[i] = i;
            loss[i] = 1.1
                    + 4.6 * Math.exp(-6.0 * i / count)
                    + 0.25 * random.nextGaussian() * Math.exp(-i / (double) count);
            rate[i] = i < warmUp
                    ? peak * i / warmUp
                    : peak * 0.5 * (1 + Math.cos(Math.PI * (i - warmUp) / (count - warmUp)));
        }
        return new TrainingCurve(name, steps, loss, rate);
    }

    private static byte[] image(int seed) throws Exception {
        Random random = new Random(seed * 7919L);
        random.nextInt();
        BufferedImage image = new BufferedImage(112, 112, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        graphics.setColor(Color.getHSBColor(random.nextFloat(), 0.18f, 0.95f));
        graphics.fillRect(0, 0, 112, 112);
        for (int i = 0; i <= 1 + random.nextInt(4); i++) {
            graphics.setColor(Color.getHSBColor(random.nextFloat(), 0.7f, 0.8f));
            int size = 18 + random.nextInt(34);
            graphics.fillOval(random.nextInt(80), random.nextInt(80), size, size);
        }
        graphics.dispose();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageIO.write(image, "png", out);
        return out.toByteArray();
    }
}
