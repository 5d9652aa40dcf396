package io.llava4j.eval.report;

import java.util.List;
import java.util.Map;

/**
 * Everything {@link HtmlReport} shows.
 *
 * @param title heading of the page
 * @param introduction what the model is and what the numbers are not; says {@code nano} where they are nano
 * @param results the numbers
 * @param curves stages of training in order; may be empty
 * @param samples held-out images, chosen by {@link ReportSample#choose}
 * @param sampleNote how they were chosen
 * @param facts sizes, data, recipe: label to value in order
 * @param commands what to type next, each with the sentence that explains it
 * @param footer versions and date
 */
public record ReportData(
        String title,
        String introduction,
        Results results,
        List<TrainingCurve> curves,
        List<ReportSample> samples,
        String sampleNote,
        Map<String, String> facts,
        Map<String, String> commands,
        String footer) {}
