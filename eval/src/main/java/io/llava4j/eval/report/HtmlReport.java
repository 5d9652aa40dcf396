package io.llava4j.eval.report;

import io.llava4j.eval.pope.PopeScore;
import io.llava4j.eval.vqa.VqaScore;
import io.llava4j.io.AtomicFiles;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;

/**
 * The page of {@code llava demo}: right and wrong answers, the numbers of every {@link Condition}, training, details, and how to
 * chat with the model.
 */
public final class HtmlReport {
    /** Those after them are folded away, so that the numbers come soon. */
    private static final int OPEN_SAMPLES = 12;

    private final ReportData data;
    private final Results results;
    private final StringBuilder html = new StringBuilder();

    private HtmlReport(ReportData data) {
        this.data = data;
        this.results = data.results();
    }

    /** Writes the page atomically. */
    public static void write(Path file, ReportData data) {
        AtomicFiles.write(file, render(data).getBytes(StandardCharsets.UTF_8));
    }

    /** The page. */
    public static String render(ReportData data) {
        return new HtmlReport(data).render();
    }

    private String render() {
        html.append(HtmlPage.head(data.title(), data.introduction()));
        if (!data.commands().isEmpty()) {
            add("<p><a href=\"#chat\">Chat with this model</a></p>\n");
        }
        add("</header>\n<main>\n");
        samples();
        numbers();
        training();
        conditions();
        questionTypes();
        pope();
        facts();
        commands();
        html.append(HtmlPage.foot(data.footer()));
        return html.toString();
    }

    private void numbers() {
        section("What it scores");
        add("""
                <p>The same model answers the same questions three times: with its images (<i>sighted</i>), with every image
                replaced by a blank one (<i>blind</i>: what can be guessed from the words alone), and as it was before
                stage 2.</p>
                """);
        add("<dl class=\"headline\">\n");
        figure("VQA accuracy", results::vqaAccuracy);
        figure("POPE accuracy", results::popeAccuracy);
        figure("POPE F1", results::popeF1);
        add("</dl>\n");
        results.comparison().ifPresent(this::benchmarks);
        add("</section>\n");
    }

    private void figure(String name, Function<Condition, Optional<Double>> value) {
        Optional<Double> sighted = value.apply(Condition.SIGHTED);
        Optional<Double> blind = value.apply(Condition.BLIND);
        String against =
                blind.map(b -> "blind <b>%s</b>".formatted(Html.percent(b))).orElse("");
        add(
                "<div><dt>%s</dt><dd class=\"figure\">%s<span class=\"unit\">%%</span></dd><dd class=\"against\">%s</dd></div>\n",
                name, Html.percent(sighted), against);
    }

    private void conditions() {
        section("Sighted, blind, and before stage 2");
        add("""
                <p>Percent; higher is better.</p>
                <div class="scroll"><table>
                <thead><tr><th scope="col">Measure</th><th scope="col" class="n">Questions</th>
                """);
        List<Condition> conditions = List.copyOf(results.vqa().keySet());
        for (Condition condition : conditions) {
            add("<th scope=\"col\" class=\"n\">%s</th>\n", condition.title());
        }
        add("</tr></thead>\n<tbody>\n");
        measure("VQA accuracy (ten answers)", results.vqaQuestions(), conditions, results::vqaAccuracy);
        measure("POPE accuracy, mean of splits", results.popeQuestions(), conditions, results::popeAccuracy);
        measure("POPE F1, mean of splits", results.popeQuestions(), conditions, results::popeF1);
        add("</tbody></table></div>\n</section>\n");
    }

    private void measure(
            String name, int questions, List<Condition> conditions, Function<Condition, Optional<Double>> value) {
        add("<tr><th scope=\"row\">%s</th><td class=\"n\">%s</td>", name, Html.count(questions));
        for (Condition condition : conditions) {
            String strong = condition == Condition.SIGHTED ? " strong" : "";
            add("<td class=\"n%s\">%s</td>", strong, Html.percent(value.apply(condition)));
        }
        add("</tr>\n");
    }

    private void benchmarks(RunComparison comparison) {
        add("<h3>All twelve benchmarks</h3>\n");
        add("""
                <p>Nano images in the files of the original benchmarks, scored by their official rules. Each axis goes
                from zero to the best of the three; its value is beside the name. MME counts points, at most 2000;
                the others are percent. LLaVA-Bench and MM-Vet are graded by a rule that compares words, not by a
                language model.</p>
                """);
        html.append("<div class=\"radar-box\">\n").append(comparison.radar()).append("</div>\n");
        html.append(HtmlParts.overview(comparison));
    }

    private void questionTypes() {
        section("By kind of question");
        List<Condition> conditions = List.copyOf(results.vqa().keySet());
        add("<p class=\"legend\">");
        for (Condition condition : conditions) {
            add("<span class=\"key %s\">%s</span> ", style(condition), condition.title());
        }
        add("</p>\n<div class=\"bars\">\n");
        results.questionTypes().forEach((type, count) -> {
            add(
                    "<div class=\"type\"><h3>%s <small>%s</small></h3>\n<div class=\"group\">\n",
                    Html.escape(type), Html.count(count));
            for (Condition condition : conditions) {
                VqaScore score = Objects.requireNonNull(results.vqa().get(condition));
                double value = score.perQuestionType().getOrDefault(type, 0.0);
                add(
                        """
                        <div class="row"><span class="track"><span class="bar %s" style="width:%s%%"></span></span>\
                        <span class="value"><span class="sr">%s </span>%s</span></div>
                        """,
                        style(condition),
                        Html.percent(Math.clamp(value, 0, 100)),
                        condition.title(),
                        Html.percent(value));
            }
            add("</div></div>\n");
        });
        add("</div>\n</section>\n");
    }

    private void pope() {
        section("POPE: does it see what is not there?");
        add("""
                <p>Half of the questions ask for an object that is absent. It is drawn at random, from the most frequent
                objects, or from those that often appear together with the present ones. Percent; yes is the positive class.</p>
                <div class="scroll"><table>
                <thead><tr><th scope="col">Split</th><th scope="col">Model</th><th scope="col" class="n wide">Questions</th>\
                <th scope="col" class="n">Accuracy</th><th scope="col" class="n">Precision</th>\
                <th scope="col" class="n">Recall</th><th scope="col" class="n">F1</th>\
                <th scope="col" class="n">Says yes</th></tr></thead>
                """);
        for (String split : results.popeSplits()) {
            add("<tbody>\n");
            boolean first = true;
            for (Map.Entry<Condition, PopeScore> entry : results.pope().entrySet()) {
                PopeScore.SplitScore score = entry.getValue().splits().get(split);
                if (score != null) {
                    String strong = entry.getKey() == Condition.SIGHTED ? " strong" : "";
                    add(
                            """
                            <tr><th scope="row">%s</th><td>%s</td><td class="n wide">%s</td><td class="n%s">%s</td>\
                            <td class="n">%s</td><td class="n">%s</td><td class="n%s">%s</td><td class="n">%s</td></tr>
                            """,
                            first ? Html.escape(split) : "<span class=\"sr\">" + Html.escape(split) + "</span>",
                            entry.getKey().title(),
                            Html.count(score.compared()),
                            strong,
                            Html.percent(100 * score.accuracy()),
                            Html.percent(100 * score.precision()),
                            Html.percent(100 * score.recall()),
                            strong,
                            Html.percent(100 * score.f1()),
                            Html.percent(100 * score.yesRatio()));
                    first = false;
                }
            }
            add("</tbody>\n");
        }
        add("</table></div>\n</section>\n");
    }

    private void samples() {
        List<ReportSample> samples = data.samples();
        if (!samples.isEmpty()) {
            int shown = Math.min(OPEN_SAMPLES, samples.size());
            String more = shown == samples.size()
                    ? ""
                    : "<details><summary>%d more</summary>\n%s</details>\n"
                            .formatted(samples.size() - shown, HtmlParts.cards(samples.subList(shown, samples.size())));
            html.append(HtmlParts.section(
                    "Right and wrong answers about images it had never met",
                    "%s Of these %d answers %d are right."
                            .formatted(Html.escape(data.sampleNote()), samples.size(), HtmlParts.right(samples)),
                    HtmlParts.cards(samples.subList(0, shown)) + more));
        }
    }

    private void training() {
        if (!data.curves().isEmpty()) {
            html.append(
                    HtmlParts.section("How it was trained", HtmlParts.CURVES_CAPTION, HtmlParts.curves(data.curves())));
        }
    }

    private void facts() {
        section("Recipe and run");
        add("<dl class=\"facts\">\n");
        data.facts()
                .forEach((label, value) ->
                        add("<div><dt>%s</dt><dd>%s</dd></div>\n", Html.escape(label), Html.escape(value)));
        add("<div><dt>Wall time, everything</dt><dd>%s</dd></div>\n", Html.duration(results.seconds()));
        add(
                "<div><dt>Peak memory</dt><dd>%s MB</dd></div>\n</dl>\n",
                Html.count(Math.round(results.peakRssBytes() / 1e6)));
        if (!results.notes().isEmpty()) {
            html.append("<h3>Notes</h3>\n").append(HtmlParts.notes(results.notes()));
        }
        add("</section>\n");
    }

    private void commands() {
        if (data.commands().isEmpty()) {
            return;
        }
        add("<section id=\"chat\">\n<h2>Chat with it</h2>\n");
        for (ReportData.Command command : data.commands()) {
            add(
                    "<p class=\"command\">%s</p>\n<pre><code>%s</code></pre>\n",
                    Html.escape(command.purpose()), Html.escape(command.line()));
            if (!command.address().isEmpty()) {
                String address = Html.escape(command.address());
                add(
                        "<p class=\"open\">Then open <a href=\"%s\">%s</a>. The link works while the command runs.</p>\n",
                        address, address);
            }
        }
        add("</section>\n");
    }

    private void section(String title) {
        add("<section>\n<h2>%s</h2>\n", Html.escape(title));
    }

    @SuppressWarnings("AnnotateFormatMethod") // the annotation would need a library of its own
    private void add(String template, Object... values) {
        html.append(values.length == 0 ? template : String.format(Locale.ROOT, template, values));
    }

    private static String style(Condition condition) {
        return switch (condition) {
            case SIGHTED -> "sighted";
            case BLIND -> "blind";
            case BEFORE -> "before";
        };
    }
}
