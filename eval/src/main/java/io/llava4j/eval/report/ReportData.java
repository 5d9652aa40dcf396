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
 * @param commands what to type next
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
        List<Command> commands,
        String footer) {
    /**
     * What to type next.
     *
     * @param line for a shell
     * @param purpose a sentence
     * @param address of the page that can be opened while it runs; empty for none
     */
    public record Command(String line, String purpose, String address) {
        /** A command that opens no page. */
        public Command(String line, String purpose) {
            this(line, purpose, "");
        }
    }
}
