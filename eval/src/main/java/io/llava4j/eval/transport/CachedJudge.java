package io.llava4j.eval.transport;

import io.llava4j.DataException;
import io.llava4j.eval.format.JsonFiles;
import io.llava4j.eval.judge.JudgeReplies;
import io.llava4j.eval.judge.JudgeRequest;
import io.llava4j.io.AtomicFiles;
import io.llava4j.io.Journal;
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
import tools.jackson.databind.json.JsonMapper;

/**
 * Keeps every reply of a judge as it comes, so that nothing is paid for twice: a stopped run resumes, and an equal
 * request gets the reply it had. Where there is no judge to ask, requests are collected, to be written to a file in the
 * format of OpenAI's batch API and answered elsewhere.
 *
 * <p>The cache is a file of JSON lines {@code {"key", "id", "reply"}}; the key is a digest of the request and its id.
 */
public final class CachedJudge implements Function<JudgeRequest, String> {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Path cache;
    private final String task;
    private final @Nullable String model;
    private final @Nullable Function<JudgeRequest, String> judge;
    private final Map<String, String> replies = new HashMap<>();
    private final Map<String, JudgeRequest> pending = new LinkedHashMap<>();

    /**
     * Continues what a file holds.
     *
     * @param cache file of replies; made when the first comes
     * @param task names requests in files, {@code task/id}, so that those of several tasks can be answered together
     * @param model asked instead of the one each benchmark was published with; null for that one
     * @param judge replies to requests that are not cached; null to collect these
     */
    public CachedJudge(
            Path cache, String task, @Nullable String model, @Nullable Function<JudgeRequest, String> judge) {
        this.cache = cache;
        this.task = task;
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
            return request.assumed();
        }
        String reply = judge.apply(request);
        keep(key, request, reply);
        return reply;
    }

    /** Requests without a reply so far; while there are any, scores from the replies are meaningless. */
    public int pending() {
        return pending.size();
    }

    /** Writes the requests without a reply as JSON lines of OpenAI's batch API. */
    public void writePending(Path file) {
        StringBuilder out = new StringBuilder();
        pending.forEach((id, request) -> {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("custom_id", task + "/" + id);
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
     * @param file what {@link JudgeReplies#lines} reads, with ids as in the requests, or without the task's name
     * @return how many were taken; replies to what is not pending are passed over
     * @throws DataException naming the line that cannot be used
     */
    public int readReplies(Path file) {
        int[] taken = {0};
        JudgeReplies.lines(file, (id, texts) -> {
            String own = id.startsWith(task + "/") ? id.substring(task.length() + 1) : id;
            JudgeRequest request = pending.remove(own);
            if (request != null) {
                keep(key(request), request, texts.getFirst());
                taken[0]++;
            }
        });
        return taken[0];
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
