package io.llava4j.app.bench;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;

/** Clients of a server on this machine: text and images, whole and streamed, each question asked once. */
final class LoadClient implements AutoCloseable {
    private static final int EDGE = 48;
    private static final Duration LONGEST = Duration.ofMinutes(11);

    /** How requests ended. */
    static final class Counts {
        private final AtomicLong answered = new AtomicLong();
        private final AtomicLong refused = new AtomicLong();
        private final AtomicLong slowestRefusal = new AtomicLong();
        private final AtomicLong slowestOfPeriod = new AtomicLong();
        private final List<String> failures = Collections.synchronizedList(new ArrayList<>());

        long answered() {
            return answered.get();
        }

        long refused() {
            return refused.get();
        }

        /** In seconds. */
        double slowestRefusal() {
            return slowestRefusal.get() / 1e9;
        }

        /** Of the refusals since the last call, in seconds. */
        double takeSlowestOfPeriod() {
            return slowestOfPeriod.getAndSet(0) / 1e9;
        }

        private void addRefusal(long nanos) {
            refused.incrementAndGet();
            slowestRefusal.accumulateAndGet(nanos, Math::max);
            slowestOfPeriod.accumulateAndGet(nanos, Math::max);
        }

        List<String> failures() {
            return List.copyOf(failures);
        }
    }

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final URI address;
    private final int newTokens;
    private final Counts counts;

    LoadClient(int port, int newTokens, Counts counts) {
        this.address = URI.create("http://127.0.0.1:" + port + "/v1/chat/completions");
        this.newTokens = newTokens;
        this.counts = counts;
    }

    /** One client: asks until a time of {@link System#nanoTime}, and waits for its last answer. */
    void askUntil(long end, int client) throws InterruptedException {
        Random random = new Random(client);
        for (int i = 0; System.nanoTime() < end; i++) {
            if (!ask(random, client, i)) {
                Thread.sleep(500 + random.nextInt(1000));
            }
        }
    }

    /**
     * Asks one question: with an image or without, whole or streamed, by its number.
     *
     * @return false if it was refused
     */
    boolean ask(Random random, int client, int number) throws InterruptedException {
        boolean stream = number % 2 == 0;
        String body = question(
                client, number, number % 4 < 2 ? NoiseImage.address(NoiseImage.draw(EDGE, random)) : "", stream);
        long start = System.nanoTime();
        try {
            HttpResponse<String> response = http.send(
                    HttpRequest.newBuilder(address)
                            .timeout(LONGEST)
                            .header("Content-Type", "application/json")
                            .POST(HttpRequest.BodyPublishers.ofString(body))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            return ended(response, stream, System.nanoTime() - start);
        } catch (IOException e) {
            counts.failures.add("no answer: " + e);
            return true;
        }
    }

    /** False if the request was refused. */
    private boolean ended(HttpResponse<String> response, boolean stream, long nanos) {
        int status = response.statusCode();
        if (status == 429 || status == 503) {
            counts.addRefusal(nanos);
            return false;
        }
        String whole = stream ? "data: [DONE]" : "\"finish_reason\":";
        if (status == 200 && response.body().contains(whole)) {
            counts.answered.incrementAndGet();
        } else {
            counts.failures.add(status + " " + response.body());
        }
        return true;
    }

    private String question(int client, int number, String image, boolean stream) {
        String text = "{\"type\": \"text\", \"text\": \"What is this? %d.%d\"}".formatted(client, number);
        String picture =
                image.isEmpty() ? "" : ", {\"type\": \"image_url\", \"image_url\": {\"url\": \"%s\"}}".formatted(image);
        return "{\"messages\": [{\"role\": \"user\", \"content\": [%s%s]}], \"max_tokens\": %d, \"stream\": %b}"
                .formatted(text, picture, newTokens, stream);
    }

    @Override
    public void close() {
        http.close();
    }
}
