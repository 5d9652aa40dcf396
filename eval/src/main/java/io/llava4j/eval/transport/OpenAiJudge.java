package io.llava4j.eval.transport;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.eval.judge.JudgeRequest;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A language model at any OpenAI-compatible endpoint. Rate limits, server errors and broken connections are tried
 * again after a pause that doubles, or as long as the server asks for; every other refusal ends the judging at once.
 */
public final class OpenAiJudge implements Function<JudgeRequest, String> {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final int SHOWN = 300;
    private static final Duration LONGEST_PAUSE = Duration.ofMinutes(2);

    /**
     * How to reach the judge.
     *
     * @param url of the API, for example {@code https://host/v1}
     * @param model requested; null for the one each benchmark was published with
     * @param key sent as bearer token; null for none
     * @param retries of a request that failed
     * @param firstPause before the first retry
     * @param timeout of one request
     * @param mostRequests maximum number of requests; 0 for no limit
     * @param mostTokens stops sending after this number of tokens of prompts and replies; 0 for no limit
     */
    public record Settings(
            URI url,
            @Nullable String model,
            @Nullable String key,
            int retries,
            Duration firstPause,
            Duration timeout,
            long mostRequests,
            long mostTokens) {
        /** @throws ConfigException if the address is not one of HTTP or a number is negative */
        public Settings {
            String scheme = url.getScheme();
            if (url.getHost() == null || !("http".equals(scheme) || "https".equals(scheme))) {
                throw new ConfigException(
                        "the judge's address '%s' is not an http or https address, such as https://host/v1"
                                .formatted(url));
            }
            if (retries < 0 || mostRequests < 0 || mostTokens < 0) {
                throw new ConfigException("retries and budget of the judge must not be negative");
            }
        }

        @Override
        public String toString() {
            return model == null ? url.toString() : "%s at %s".formatted(model, url); // never the key
        }
    }

    private final Settings settings;
    private final HttpClient client;
    private long requests;
    private long tokens;

    /** A judge; nothing is sent yet. */
    public OpenAiJudge(Settings settings) {
        this.settings = settings;
        this.client = HttpClient.newBuilder()
                .connectTimeout(settings.timeout())
                .version(HttpClient.Version.HTTP_1_1)
                .build();
    }

    /** What is sent for a request. */
    static Map<String, Object> body(JudgeRequest request, @Nullable String model) {
        Map<String, Object> body = new LinkedHashMap<>(request.body());
        if (model != null) {
            body.put("model", model);
        }
        return body;
    }

    /** Requests sent so far, retries included. */
    public long requests() {
        return requests;
    }

    /** Tokens used so far, as the endpoint counts them. */
    public long tokens() {
        return tokens;
    }

    @Override
    public String apply(JudgeRequest task) {
        String body = JSON.writeValueAsString(body(task, settings.model()));
        HttpRequest.Builder request = HttpRequest.newBuilder(completions())
                .timeout(settings.timeout())
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body));
        if (settings.key() != null) {
            request.header("Authorization", "Bearer " + settings.key());
        }
        Duration pause = settings.firstPause();
        for (int retry = 0; ; retry++) {
            spend(task);
            String failure;
            Duration wait = pause;
            try {
                HttpResponse<String> response = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
                if (response.statusCode() == 200) {
                    return content(task, response.body());
                }
                failure = "status %d: %s".formatted(response.statusCode(), shortened(response.body()));
                if (!worthRetrying(response.statusCode())) {
                    throw new DataException("judge %s refused question %s (%s)%s"
                            .formatted(settings, task.id(), failure, advice(response.statusCode())));
                }
                wait = retryAfter(response).orElse(pause);
            } catch (IOException e) {
                failure = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new DataException("judging was interrupted; replies so far are kept", e);
            }
            if (retry == settings.retries()) {
                throw new DataException(
                        "judge %s did not reply to question %s in %d tries (last: %s); replies so far are kept, run again later"
                                .formatted(settings, task.id(), retry + 1, failure));
            }
            sleep(wait);
            pause = pause.multipliedBy(2).compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause.multipliedBy(2);
        }
    }

    private URI completions() {
        String url = settings.url().toString();
        return URI.create((url.endsWith("/") ? url.substring(0, url.length() - 1) : url) + "/chat/completions");
    }

    private void spend(JudgeRequest task) {
        boolean requestsSpent = settings.mostRequests() > 0 && requests >= settings.mostRequests();
        boolean tokensSpent = settings.mostTokens() > 0 && tokens >= settings.mostTokens();
        if (requestsSpent || tokensSpent) {
            throw new DataException(
                    "the judge's budget is spent before question %s (%d requests, %d tokens); replies so far are kept; raise the budget to resume"
                            .formatted(task.id(), requests, tokens));
        }
        requests++;
    }

    private String content(JudgeRequest task, String body) {
        try {
            JsonNode reply = JSON.readTree(body);
            tokens += reply.path("usage").path("total_tokens").asLong(0);
            JsonNode content = reply.path("choices").path(0).path("message").path("content");
            if (content.isString()) {
                return content.stringValue();
            }
        } catch (JacksonException e) {
            throw new DataException(
                    "judge %s sent what is not JSON for question %s: %s"
                            .formatted(settings, task.id(), shortened(body)),
                    e);
        }
        throw new DataException("judge %s sent no choices[0].message.content for question %s: %s"
                .formatted(settings, task.id(), shortened(body)));
    }

    private static boolean worthRetrying(int status) {
        return status == 408 || status == 409 || status == 425 || status == 429 || status >= 500;
    }

    private static String advice(int status) {
        return switch (status) {
            case 401, 403 -> "; check the key in the environment";
            case 404 -> "; check address and model name";
            default -> "";
        };
    }

    private static Optional<Duration> retryAfter(HttpResponse<String> response) {
        return response.headers().firstValue("Retry-After").flatMap(value -> {
            try {
                long seconds = Math.clamp(Long.parseLong(value.strip()), 0, LONGEST_PAUSE.toSeconds());
                return Optional.of(Duration.ofSeconds(seconds));
            } catch (NumberFormatException e) {
                return Optional.empty(); // a date, which the own pause replaces
            }
        });
    }

    private static void sleep(Duration pause) {
        try {
            long jitter = ThreadLocalRandom.current().nextLong(1 + pause.toMillis() / 4);
            Thread.sleep(pause.toMillis() + jitter);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DataException("judging was interrupted; replies so far are kept", e);
        }
    }

    private static String shortened(String text) {
        String line = text.strip().replaceAll("\\s+", " ");
        return line.length() > SHOWN ? line.substring(0, SHOWN) + "…" : line;
    }
}
