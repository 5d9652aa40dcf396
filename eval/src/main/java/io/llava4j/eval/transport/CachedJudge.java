package io.llava4j.eval.transport;

import io.llava4j.DataException;
import io.llava4j.checkpoint.AtomicFiles;
import io.llava4j.eval.format.Journal;
import io.llava4j.eval.format.JsonFiles;
import io.llava4j.eval.format.JsonRecord;
import io.llava4j.eval.judge.JudgeRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Keeps every reply of a judge as it comes, so that nothing is paid for twice: a run that stopped goes on, and an equal
 * request gets the reply it had. Where there is no judge to ask, requests are collected, to be written to a file in the
 * format of OpenAI's batch API and answered elsewhere.
 *
 * <p>The cache is a file of JSON lines {@code {"key", "id", "reply"}}; the key is a digest of the request and its id.
 */
public final class CachedJudge implements Function<JudgeRequest, String> {
    /** Stands for a reply that is still to come: both benchmarks can read it, so that none asks again because of it. */
    private static final String PENDING = "0";

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Path cache;
    private final @Nullable String model;
    private final @Nullable Function<JudgeRequest, String> judge;
    private final Map<String, String> replies = new HashMap<>();
    private final Map<String, JudgeRequest> pending = new LinkedHashMap<>();

    /**
     * Continues what a file holds.
     *
     * @param cache file of replies; made when the first comes
     * @param model asked instead of the one each benchmark was published with; null for that one
     * @param judge asked for what is not known; null to collect it
     */
    public CachedJudge(Path cache, @Nullable String model, @Nullable Function<JudgeRequest, String> judge) {
        this.cache = cache;
        this.model = model;
        this.judge = judge;
        if (Files.exists(cache)) {
            Journal.cutTornLine(cache);
            JsonFiles.lines(
                    cache, JsonFiles.BrokenLines.REFUSE, line -> replies.put(line.text("key"), line.text("reply")));
        }
    }

    @Override
    public String apply(JudgeRequest request) {
        String key = key(request);
        String known = replies.get(key);
        if (known != null) {
            return known;
        }
        if (judge == null) {
            pending.put(request.id(), request);
            return PENDING;
        }
        String reply = judge.apply(request);
        keep(key, request, reply);
        return reply;
    }

    /** Requests without a reply so far; while there are some, what benchmarks make of the replies means nothing. */
    public int pending() {
        return pending.size();
    }

    /** Writes the requests without a reply as JSON lines of OpenAI's batch API. */
    public void writePending(Path file) {
        StringBuilder out = new StringBuilder();
        pending.forEach((id, request) -> {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("custom_id", id);
            line.put("method", "POST");
            line.put("url", "/v1/chat/completions");
            line.put("body", OpenAiJudge.body(request, model));
            out.append(JSON.writeValueAsString(line)).append('\n');
        });
        AtomicFiles.write(file, out.toString().getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Takes replies to the requests that were collected.
     *
     * @param file JSON lines {@code {"id", "reply"}}, or the output of OpenAI's batch API
     * @return how many were taken; replies to what is not pending are passed over
     * @throws DataException naming the line that cannot be used
     */
    public int readReplies(Path file) {
        int[] taken = {0};
        JsonFiles.lines(file, JsonFiles.BrokenLines.REFUSE, line -> {
            boolean batch = line.node().has("custom_id");
            JudgeRequest request =
                    pending.remove(line.id(batch ? "custom_id" : "id").value());
            if (request != null) {
                keep(key(request), request, batch ? batchReply(line) : line.text("reply"));
                taken[0]++;
            }
        });
        return taken[0];
    }

    private static String batchReply(JsonRecord line) {
        JsonNode content = line.node()
                .path("response")
                .path("body")
                .path("choices")
                .path(0)
                .path("message")
                .path("content");
        if (!content.isString()) {
            throw new DataException("%s: the request failed (%s); send it again"
                    .formatted(line.where(), line.node().path("error")));
        }
        return content.stringValue();
    }

    private void keep(String key, JudgeRequest request, String reply) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("key", key);
        line.put("id", request.id());
        line.put("reply", reply);
        Journal.append(cache, JSON.writeValueAsString(line) + "\n");
        replies.put(key, reply);
    }

    private String key(JudgeRequest request) {
        String sent = request.id() + "\0" + JSON.writeValueAsString(OpenAiJudge.body(request, model));
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(sent.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, 16);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
