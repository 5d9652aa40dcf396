package io.llava4j.app.serve;

import io.llava4j.app.serve.http.RequestCounts;
import io.llava4j.app.serve.request.AnswerTimes;
import io.llava4j.app.serve.request.ServedModel;
import io.llava4j.generate.schedule.SchedulerStats;
import java.util.Locale;

/**
 * The page of metrics, in the text format of Prometheus (version 0.0.4,
 * https://prometheus.io/docs/instrumenting/exposition_formats). Rates such as tokens per second are what Prometheus computes of
 * the counters.
 */
final class Metrics {
    private final StringBuilder out = new StringBuilder();

    private Metrics() {}

    static String page(ServedModel model, RequestCounts counts) {
        Metrics metrics = new Metrics();
        metrics.gauge("llava_ready", "Whether the model is loaded.", model.isReady() ? 1 : 0);
        metrics.gauge("llava_http_requests_active", "Requests that are being answered.", counts.active());
        metrics.head("llava_http_requests_total", "Answered requests by path and status.", "counter");
        counts.finished()
                .forEach((label, count) -> metrics.line(
                        "llava_http_requests_total{path=\"%s\",status=\"%d\"}".formatted(label.path(), label.status()),
                        count));
        if (model.isReady()) {
            metrics.scheduler(model.pipeline().stats());
        }
        AnswerTimes times = model.times();
        metrics.counter("llava_answers_abandoned_total", "Answers whose clients left.", times.abandoned());
        metrics.histogram("llava_queue_seconds", "Time in the queue.", times.queue());
        metrics.histogram(
                "llava_time_to_first_token_seconds", "From a request to the first token.", times.firstToken());
        metrics.histogram("llava_answer_seconds", "From a request to the end of its answer.", times.whole());
        return metrics.out.toString();
    }

    private void scheduler(SchedulerStats stats) {
        gauge("llava_queue_length", "Requests that wait.", stats.waiting());
        gauge("llava_answers_running", "Answers that are being read or decoded.", stats.running());
        counter("llava_answers_accepted_total", "Requests that were accepted.", stats.accepted());
        counter("llava_answers_refused_total", "Requests that found the queue full.", stats.refused());
        counter("llava_answers_finished_total", "Answers that ended, however they did.", stats.finished());
        counter("llava_steps_total", "Steps of the decoding thread.", stats.steps());
        counter(
                "llava_batched_answers_total",
                "Sum over all steps of the answers in them; divided by the steps, the batch size.",
                stats.batchedAnswers());
        counter("llava_prompt_tokens_total", "Tokens of prompts, image tokens included.", stats.promptTokens());
        counter("llava_cached_tokens_total", "Tokens of prompts that were in the cache.", stats.cachedTokens());
        counter("llava_answer_tokens_total", "Tokens of answers.", stats.answerTokens());
        counter("llava_guessed_tokens_total", "Tokens that prompt lookup guessed.", stats.guessedTokens());
        counter("llava_right_guesses_total", "Those of them that the model chose.", stats.rightGuesses());
        counter("llava_images_encoded_total", "Images that went through the vision tower.", stats.encodedImages());
        counter("llava_images_cached_total", "Images whose tokens were in the cache.", stats.cachedImages());
        gauge("llava_cache_bytes", "Memory of the caches.", stats.cacheBytes());
        counter("llava_cache_evictions_total", "Entries that had to leave the caches.", stats.evictions());
    }

    private void histogram(String name, String help, AnswerTimes.Histogram values) {
        head(name, help, "histogram");
        long sum = 0;
        for (int i = 0; i < values.size(); i++) {
            sum += values.count(i);
            String bound = Double.isInfinite(values.bound(i)) ? "+Inf" : Double.toString(values.bound(i));
            line("%s_bucket{le=\"%s\"}".formatted(name, bound), sum);
        }
        out.append(String.format(Locale.ROOT, "%s_sum %.6f\n", name, values.sum()));
        line(name + "_count", sum);
    }

    private void gauge(String name, String help, long value) {
        head(name, help, "gauge");
        line(name, value);
    }

    private void counter(String name, String help, long value) {
        head(name, help, "counter");
        line(name, value);
    }

    private void head(String name, String help, String type) {
        out.append("# HELP ").append(name).append(' ').append(help).append('\n');
        out.append("# TYPE ").append(name).append(' ').append(type).append('\n');
    }

    private void line(String name, long value) {
        out.append(name).append(' ').append(value).append('\n');
    }
}
