package io.llava4j.eval.run;

import io.llava4j.eval.Benchmark;
import io.llava4j.eval.format.PythonJson;
import io.llava4j.eval.judge.JudgeRequest;
import io.llava4j.eval.judge.JudgeSpec;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.transport.CachedJudge;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Has the answers to one benchmark judged. Replies are kept in {@code judge/}, so nothing is asked twice. */
final class Judging {
    private final Benchmark task;
    private final JudgeSpec spec;
    private final Judge judge;
    private final Path folder;
    private final Consumer<String> notes;

    /**
     * Judging of one benchmark.
     *
     * @param out folder of the task
     * @param notes receives what the user should know
     */
    Judging(Benchmark task, JudgeSpec spec, Judge judge, Path out, Consumer<String> notes) {
        this.task = task;
        this.spec = spec;
        this.judge = judge;
        this.folder = out.resolve("judge");
        this.notes = notes;
    }

    /** The file of replies; null if no judge was asked or some replies are still missing. */
    @Nullable
    Path replies(BenchmarkFiles files, Path answers) {
        if (!spec.required() && judge.isLocal()) {
            return null;
        }
        Path cache = folder.resolve("cache.jsonl");
        CachedJudge cached = new CachedJudge(cache, task.name(), judge.model(), judge.transport());
        Map<String, List<String>> replies = ask(files, answers, cached);
        if (cached.pending() > 0 && judge.replies() != null) {
            int taken = cached.readReplies(judge.replies());
            notes.accept("%s: %d replies taken from %s".formatted(task.title(), taken, judge.replies()));
            cached = new CachedJudge(cache, task.name(), judge.model(), null);
            replies = ask(files, answers, cached);
        }
        if (cached.pending() > 0) {
            Path requests = folder.resolve("requests.jsonl");
            cached.writePending(requests);
            notes.accept(
                    "%s %s %d replies of a judge: name one with --judge, or have %s answered and run again with --judge-replies FILE"
                            .formatted(
                                    task.title(),
                                    spec.required() ? "waits for" : "is scored without",
                                    cached.pending(),
                                    requests));
            return null;
        }
        return replies.isEmpty() ? null : write(replies);
    }

    private Map<String, List<String>> ask(
            BenchmarkFiles files, Path answers, Function<JudgeRequest, String> transport) {
        Map<String, List<String>> replies = new LinkedHashMap<>();
        spec.asking().ask(files, answers, request -> {
            String reply = transport.apply(request);
            replies.computeIfAbsent(request.id(), id -> new ArrayList<>()).add(reply);
            return reply;
        });
        return replies;
    }

    private Path write(Map<String, List<String>> replies) {
        Path file = folder.resolve("replies.jsonl");
        PythonJson.writeLines(file, replies.entrySet().stream().map(reply -> {
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("id", reply.getKey());
            line.put("replies", reply.getValue());
            return line;
        }));
        return file;
    }
}
