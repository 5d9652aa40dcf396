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
import java.util.function.Function;

/** What a judge said, kept in JSON lines of {@code id} and {@code reply}, or {@code replies} where it was asked again. */
public final class JudgeReplies implements Function<JudgeRequest, String> {
    private final Map<String, Deque<String>> left;

    private JudgeReplies(Map<String, Deque<String>> left) {
        this.left = left;
    }

    /** Reads replies; several lines of one id follow each other. */
    public static JudgeReplies read(Path file) {
        Map<String, Deque<String>> replies = new LinkedHashMap<>();
        JsonFiles.lines(
                file,
                BrokenLines.REFUSE,
                line -> replies.computeIfAbsent(line.id("id").value(), id -> new ArrayDeque<>())
                        .addAll(texts(line)));
        return new JudgeReplies(replies);
    }

    private static List<String> texts(JsonRecord line) {
        return line.node().has("replies") ? line.texts("replies") : List.of(line.text("reply"));
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
