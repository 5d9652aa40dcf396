package io.llava4j.app.demo;

import io.llava4j.LlavaException;
import io.llava4j.app.run.MetricsFile;
import io.llava4j.app.serve.ServerOptions;
import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.format.AnswerFile;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionId;
import io.llava4j.eval.report.Charts;
import io.llava4j.eval.report.Condition;
import io.llava4j.eval.report.HtmlReport;
import io.llava4j.eval.report.ReportData;
import io.llava4j.eval.report.ReportSample;
import io.llava4j.eval.report.Results;
import io.llava4j.eval.report.TrainingCurve;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.vqa.VqaAnnotation;
import io.llava4j.eval.vqa.VqaFiles;
import io.llava4j.io.AtomicFiles;
import io.llava4j.train.run.TrainingRun;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes the report of a demo: {@code report.html}, {@code plots/} and the model card. */
final class DemoReport {
    private static final Logger LOG = LoggerFactory.getLogger(DemoReport.class);
    private static final int SAMPLES = 24;

    private final Path directory;
    private final Path vqa;
    private final Map<String, Double> seconds;

    /** @param vqa folder of the VQAv2 benchmark, whose images are shown */
    DemoReport(Path directory, Path vqa, Map<String, Double> seconds) {
        this.directory = directory;
        this.vqa = vqa;
        this.seconds = seconds;
    }

    /** @param answers files of VQAv2 answers of each condition */
    void write(Results results, Map<Condition, Path> answers) {
        List<TrainingCurve> curves = List.of(
                MetricsFile.curve("Stage 1", directory.resolve("stage1").resolve(MetricsFile.NAME)),
                MetricsFile.curve("Stage 2", directory.resolve(MetricsFile.NAME)));
        plots(results, curves);
        Map<String, String> facts = facts(results);
        HtmlReport.write(
                directory.resolve("report.html"),
                new ReportData(
                        "nano-LLaVA learns to see",
                        "A LLaVA-1.5 of nano size, trained in minutes by the same code that trains the 7B model. Its numbers"
                                + " are nano numbers: they show that the recipe works, not how good LLaVA-1.5 is.",
                        results,
                        curves,
                        samples(results, answers),
                        "Drawn by artists held out from all training. The questions were chosen by a fixed seed before any answer"
                                + " was known. Blind is what the same model says without the image.",
                        facts,
                        commands(),
                        "Written by llava4j."));
        AtomicFiles.write(directory.resolve("README.md"), card(results, facts).getBytes(StandardCharsets.UTF_8));
    }

    private void plots(Results results, List<TrainingCurve> curves) {
        try {
            Path plots = directory.resolve("plots");
            AtomicFiles.write(plots.resolve("stage1-loss.png"), Charts.loss(curves.getFirst(), false));
            AtomicFiles.write(plots.resolve("stage2-loss.png"), Charts.loss(curves.getLast(), false));
            AtomicFiles.write(plots.resolve("stage2-learning-rate.png"), Charts.learningRate(curves.getLast()));
            AtomicFiles.write(plots.resolve("vqa-by-type.png"), Charts.questionTypes(results));
        } catch (LlavaException e) {
            // The page draws its own charts; only the PNG files need fonts of the system.
            LOG.warn("plots/ is left out: {}", e.getMessage());
        }
    }

    private List<ReportSample> samples(Results results, Map<Condition, Path> answers) {
        Map<QuestionId, VqaAnnotation> truths = new HashMap<>();
        BenchmarkFiles files = Benchmarks.VQAV2.files(vqa);
        VqaFiles.annotations(files.require(FileRole.ANNOTATIONS), truth -> truths.put(truth.id(), truth));
        Path images = Benchmarks.VQAV2.images(vqa, vqa);
        Map<QuestionId, String> sighted = texts(answers.get(Condition.SIGHTED));
        Map<QuestionId, String> blind = texts(answers.get(Condition.BLIND));
        List<ReportSample> samples = new ArrayList<>();
        for (Question question : ReportSample.choose(Benchmarks.VQAV2.questions(vqa), SAMPLES, 1)) {
            VqaAnnotation truth = truths.get(question.id());
            if (truth == null) {
                continue;
            }
            samples.add(new ReportSample(
                    question.images().stream()
                            .map(image -> ReportSample.Image.read(images.resolve(image)))
                            .toList(),
                    question.text().lines().findFirst().orElse(""),
                    mostFrequent(truth),
                    sighted.getOrDefault(question.id(), ""),
                    blind.getOrDefault(question.id(), ""),
                    Objects.requireNonNull(results.vqa().get(Condition.SIGHTED))
                                    .perQuestion()
                                    .getOrDefault(question.id(), 0.0)
                            / 100));
        }
        return samples;
    }

    private static Map<QuestionId, String> texts(@Nullable Path answers) {
        Map<QuestionId, String> texts = new HashMap<>();
        AnswerFile.read(Objects.requireNonNull(answers)).forEach(answer -> texts.put(answer.id(), answer.text()));
        return texts;
    }

    private static String mostFrequent(VqaAnnotation annotation) {
        Map<String, Long> counts = annotation.answers().stream()
                .collect(Collectors.groupingBy(
                        VqaAnnotation.HumanAnswer::text, LinkedHashMap::new, Collectors.counting()));
        return counts.entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(Map.Entry::getKey)
                .orElse("");
    }

    private Map<String, String> facts(Results results) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put(
                "Recipe",
                "stage 1: projector on captions; stage 2: projector and language model on instructions; tower frozen");
        facts.put("Tower", "CLIP-shaped, 96 px, residual convolution stem, 36 patches, read at layer -2");
        facts.put("Projector", "mlp2x_gelu");
        facts.put("Images", "drawn scenes of 1 to 5 things; evaluation by artists held out from all training");
        seconds.forEach((phase, time) -> facts.put("Time, " + phase, String.format(Locale.ROOT, "%.0f s", time)));
        facts.put("Peak memory", String.format(Locale.ROOT, "%.1f GB", results.peakRssBytes() / 1e9));
        return facts;
    }

    private List<ReportData.Command> commands() {
        Path model = directory.resolve(TrainingRun.MODEL);
        return List.of(
                new ReportData.Command(
                        "./llava serve -m " + model, "Chat with the model in the browser.", ServerOptions.PAGE),
                new ReportData.Command(
                        "./llava chat -m " + model + " --image " + vqa.resolve("val2014/COCO_val2014_000000000001.jpg"),
                        "Chat in the terminal about an image that it has never seen."),
                new ReportData.Command(
                        "./llava generate -m " + model + " --image IMAGE \"Is there a cat in the image?\"",
                        "Ask one question."),
                new ReportData.Command(
                        "./llava eval -m " + model + " --tasks all",
                        "Ask the twelve benchmarks again, with a report of their own: every number and wrong answers."));
    }

    private static String card(Results results, Map<String, String> facts) {
        StringBuilder card = new StringBuilder("# nano-LLaVA\n\nA LLaVA-1.5 of nano size, made by `llava demo`. For"
                + " learning and testing only: its numbers say nothing about LLaVA-1.5.\n\n"
                + "| | sighted | blind | before stage 2 |\n|---|---|---|---|\n");
        card.append(row("VQA accuracy, %", results::vqaAccuracy));
        card.append(row("POPE accuracy, %", results::popeAccuracy));
        card.append(row("POPE F1, %", results::popeF1));
        results.comparison()
                .ifPresent(comparison -> card.append("\n## Nano benchmarks\n\n")
                        .append(comparison.overview().markdown())
                        .append("\nPercent, MME in points of at most 2000.\n")
                        .append(comparison.legend()));
        card.append("\n## Facts\n\n");
        facts.forEach((key, value) ->
                card.append("- **").append(key).append("**: ").append(value).append('\n'));
        card.append("\n## Notes\n\n");
        results.notes().forEach(note -> card.append("- ").append(note).append('\n'));
        card.append(
                "\n## Licence\n\nWeights: Apache-2.0. The drawings it was trained on have licences of their own, named"
                        + " in llava4j's NOTICE.\n");
        return card.toString();
    }

    private static String row(String name, Function<Condition, Optional<Double>> value) {
        StringBuilder row = new StringBuilder("| ").append(name).append(" |");
        for (Condition condition : Condition.values()) {
            row.append(value.apply(condition)
                    .map(number -> String.format(Locale.ROOT, " %.1f |", number))
                    .orElse(" – |"));
        }
        return row.append('\n').toString();
    }
}
