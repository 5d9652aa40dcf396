package io.llava4j.eval.reference;

import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.judge.JudgeReplies;
import io.llava4j.eval.judge.LlavaBench;
import io.llava4j.eval.judge.Review;
import io.llava4j.eval.score.BenchmarkFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;

/** What LLaVA's review and summary scripts give for a folder. */
final class LlavaBenchReference {
    private static final String IGNORING = "summary_ignoring_";
    private static final String MEAN = "real_reviews_mean_of_3_overall";
    private static final String NAN = "reviews_nan";
    private static final Pattern RESUMED = Pattern.compile("resume_after_(\\d+)_calls");

    private LlavaBenchReference() {}

    /** Requests, parsed replies, the review file, summaries of all review files. */
    static void compare(BenchmarkFiles files, Path folder, JsonNode expected, Checks checks) {
        Means3 overall = new Means3(new ArrayList<>());
        for (String name : expected.path("real_reviews").propertyNames()) {
            List<Review> reviews = Review.read(folder.resolve("reviews").resolve(name));
            summary(
                    "real_reviews/" + name,
                    name,
                    reviews,
                    expected.get("real_reviews").get(name),
                    checks);
            overall.values()
                    .add(Objects.requireNonNull(LlavaBench.summary(reviews).get("all"))
                            .relative());
        }
        if (expected.has(MEAN)) {
            checks.same(MEAN, overall.mean(), expected.get(MEAN));
        }
        if (expected.has(NAN)) {
            summary(NAN, NAN + ".jsonl", Review.read(folder.resolve(NAN + ".jsonl")), expected.get(NAN), checks);
        }
        judge(files, folder, expected.get("judge"), checks);
    }

    private record Means3(List<Double> values) {
        double mean() {
            double sum = 0;
            for (double value : values) {
                sum += value;
            }
            return sum / values.size();
        }
    }

    private static void judge(BenchmarkFiles files, Path folder, JsonNode expected, Checks checks) {
        List<LlavaBench.Item> items = LlavaBench.items(files, folder.resolve("answers.jsonl"));
        List<Map<String, Object>> requests = items.stream()
                .map(item -> {
                    Map<String, Object> request = new LinkedHashMap<>();
                    request.put("id", item.number());
                    request.putAll(item.request().body());
                    return request;
                })
                .toList();
        checks.same("judge/requests", requests, expected.get("requests"));
        Path replies = folder.resolve("judge_replies.jsonl");
        List<Review> reviews = LlavaBench.review(items, List.of(), JudgeReplies.read(replies));
        Map<String, Object> parsed = new LinkedHashMap<>();
        reviews.forEach(review -> parsed.put(String.valueOf(review.id()), review.points()));
        checks.same("judge/parsed", parsed, expected.get("parsed"));
        checks.sameAsFile(
                "judge/reviews",
                reviews.stream().map(review -> review.render() + "\n").collect(Collectors.joining()),
                folder.resolve("reviews_expected.jsonl"));
        for (String key : expected.propertyNames()) {
            if (key.equals("summary") || key.startsWith(IGNORING)) {
                Set<String> ignored = key.equals("summary")
                        ? Set.of()
                        : Set.of(key.substring(IGNORING.length()).split("_"));
                List<Review> kept = reviews.stream()
                        .filter(review -> !ignored.contains(review.questionId().value()))
                        .toList();
                summary("judge/" + key, "reviews_expected.jsonl", kept, expected.get(key), checks);
            }
        }
        for (String key : expected.propertyNames()) {
            Matcher resumed = RESUMED.matcher(key);
            if (resumed.matches()) {
                int[] calls = {0};
                JudgeReplies again = JudgeReplies.read(replies);
                int done = Math.min(Integer.parseInt(resumed.group(1)), reviews.size());
                LlavaBench.review(items, reviews.subList(0, done), request -> {
                    calls[0]++;
                    return again.apply(request);
                });
                checks.same("judge/" + key, calls[0], expected.get(key));
            }
        }
    }

    private static void summary(String name, String file, List<Review> reviews, JsonNode expected, Checks checks) {
        StringBuilder printed = new StringBuilder(file.replace("gpt4_text_", "").replace(".jsonl", "")).append('\n');
        Map<String, Object> categories = new LinkedHashMap<>();
        LlavaBench.summary(reviews).forEach((category, line) -> {
            printed.append("%s %s %s %s\n"
                    .formatted(
                            category,
                            PythonText.repr(line.relative()),
                            PythonText.repr(line.reference()),
                            PythonText.repr(line.model())));
            categories.put(
                    category,
                    Map.of("relative", line.relative(), "gpt4_x10", line.reference(), "model_x10", line.model()));
        });
        checks.same(
                name + "/stdout",
                printed.append("=================================\n").toString(),
                expected.get("stdout"));
        checks.same(name + "/categories", categories, expected.get("categories"));
    }
}
