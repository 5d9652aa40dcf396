package io.llava4j.eval.judge;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One request to a judge, in the terms of an OpenAI-compatible chat endpoint.
 *
 * @param id what is judged; not part of what is sent
 * @param model the judge the benchmark was published with
 * @param messages in order
 * @param temperature of sampling
 * @param maxTokens longest reply
 * @param assumed what stands for the reply while it is still to come, so that no more is asked because of it; not sent
 */
public record JudgeRequest(
        String id, String model, List<Message> messages, double temperature, int maxTokens, String assumed) {
    /** LLaVA-Bench and MM-Vet can read it and ask no further. */
    private static final String READABLE = "0";

    /** A request whose reply, if it can be read, is the end of it. */
    public JudgeRequest(String id, String model, List<Message> messages, double temperature, int maxTokens) {
        this(id, model, messages, temperature, maxTokens, READABLE);
    }

    /**
     * A message.
     *
     * @param role {@code system} or {@code user}
     * @param content its text
     */
    public record Message(String role, String content) {}

    /** The body of the request as JSON values. */
    public Map<String, Object> body() {
        List<Map<String, Object>> list = new ArrayList<>();
        for (Message message : messages) {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("role", message.role());
            entry.put("content", message.content());
            list.add(entry);
        }
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("model", model);
        body.put("messages", list);
        body.put("temperature", temperature);
        body.put("max_tokens", maxTokens);
        return body;
    }
}
