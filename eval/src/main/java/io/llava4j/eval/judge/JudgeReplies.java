package io.llava4j.eval.judge;

import io.llava4j.DataException;
import io.llava4j.eval.format.JsonFiles;
import io.llava4j.eval.format.JsonFiles.BrokenLines;
import io.llava4j.eval.format.JsonRecord;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Function;
import tools.jackson.databind.JsonNode;

/** What a judge said, kept in JSON lines of {@code id} and {@code reply}, or {@code replies} where it was asked again. */
public final class JudgeReplies implements Function<JudgeRequest, String> {
    private static final String BATCH = "custom_id";
    private static final List<String> IDS = List.of("id", "index", BATCH);

    private final Map<String, Deque<String>> left;

    private JudgeReplies(Map<String, Deque<String>> left) {
        this.left = left;
    }

    /** Reads replies; several lines of one id follow each other. */
    public static JudgeReplies read(Path file) {
        Map<String, Deque<String>> replies = new LinkedHashMap<>();
        lines(
                file,
                (id, texts) ->
                        replies.computeIfAbsent(id, i -> new ArrayDeque<>()).addAll(texts));
        return new JudgeReplies(replies);
    }

    /**
     * Streams a file of replies: JSON lines of {@code id} (or MMBench's {@code index}) and {@code reply}, or
     * {@code replies} where one was asked again; or the output of OpenAI's batch API. What stands before a slash in an id
     * names the task.
     *
     * @param sink receives ids and replies, at least one of each
     * @throws DataException naming the line that cannot be used
     */
    public static void lines(Path file, BiConsumer<String, List<String>> sink) {
        JsonFiles.lines(file, BrokenLines.REFUSE, line -> {
            String field = IDS.stream().filter(line.node()::has).findFirst().orElse(IDS.getFirst());
            List<String> texts = field.equals(BATCH)
                    ? List.of(batchReply(line))
                    : line.node().has("replies") ? line.texts("replies") : List.of(line.text("reply"));
            if (texts.isEmpty()) {
                throw new DataException(line.where() + ": 'replies' is empty; remove the line");
            }
            sink.accept(line.id(field).value(), texts);
        });
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

    /** Ids with a reply, in file order. */
    public List<String> ids() {
        return new ArrayList<>(left.keySet());
    }

    /** The next reply to a request. */
    @Override
    public String apply(JudgeRequest request) {
        Deque<String> replies = left.get(request.id());
        if (replies == null || replies.isEmpty()) {
            throw new DataException("the judge's replies have none (left) for %s".formatted(request.id()));
        }
        return replies.removeFirst();
    }
}
