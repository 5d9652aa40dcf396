package io.llava4j.eval.choice;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.Goldens;
import io.llava4j.eval.judge.JudgeReplies;
import io.llava4j.eval.judge.JudgeRequest;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MmBenchJudgeTest {
    private static final String TABLE = """
            index\tquestion\tA\tB\tanswer
            1\tWhich colour\tred\tblue\tA
            1000001\tWhich colour\tblue\tred\tB
            2\tWho\tme\tyou\tA
            1000002\tWho\tyou\tme\tB
            3\t\u8c01\t\u6211\t\u4f60\tA
            4\tWhere\there\tthere\tA
            1000004\tWhere\tthere\there\tB
            """;

    @TempDir
    Path folder;

    private final List<JudgeRequest> asked = new ArrayList<>();

    @Test
    void asksWhatVlmEvalKitAsks() throws Exception {
        ask("""
                {"question_id": 1, "text": " it is crimson\\n"}
                {"question_id": 1000001, "text": "B"}
                """, Map.of("1", "A"));
        JudgeRequest request = asked.getFirst();
        assertThat(request.body())
                .containsEntry("model", "gpt-3.5-turbo-0613")
                .containsEntry("temperature", 0.0)
                .containsEntry("max_tokens", 2048);
        assertThat(request.messages()).hasSize(1);
        assertThat(request.messages().getFirst().content())
                .startsWith("You are an AI assistant who will help me to match an answer with several options")
                .contains(
                        "and Z. \nExample 1: \nQuestion: What is the main object in image?\nOptions: A. teddy bear B. ")
                .endsWith(
                        "Example 3: \nQuestion: Which colour?\nOptions: There are several options: \nA. red\nB. blue\n\n"
                                + "Answer: it is crimson\nYour output: ");
        ask("{\"question_id\": 3, \"text\": \"?\"}", Map.of("3", "A"));
        assertThat(asked.getFirst().messages().getFirst().content())
                .startsWith("\u4f60\u662f\u4e00\u4e2a")
                .endsWith(
                        "\u95ee\u9898: \u8c01?\n\u9009\u9879: There are several options: \nA. \u6211\nB. \u4f60\n\n\u7b54\u6848: ?\n\u8f93\u51fa: ");
    }

    @Test
    void asksUntilARotationIsWrongAndNeverAboutWhatRulesDecide() throws Exception {
        String answers = """
                {"question_id": 1, "text": "crimson"}
                {"question_id": 1000001, "text": "crimson"}
                {"question_id": 2, "text": "B"}
                {"question_id": 1000002, "text": "nobody"}
                {"question_id": 4, "text": "unknown"}
                """;
        Map<String, String> replies = Map.of("1", "A", "1000001", "Z", "4", "A.");
        ask(answers, replies);
        // 2 is decided and wrong; 1000004 and 3 were not answered
        assertThat(asked).extracting(JudgeRequest::id).containsExactly("1", "1000001", "4");
        ask(answers, Map.of("1", "B", "4", "who knows"));
        assertThat(asked).extracting(JudgeRequest::id).containsExactly("1", "4");
    }

    @Test
    void anUnusableReplyCountsAsWrongAndIsTold() throws Exception {
        Files.writeString(folder.resolve("mmbench_dev_20230712.tsv"), TABLE);
        Path answers = Files.writeString(folder.resolve("answers.jsonl"), "{\"question_id\": 3, \"text\": \"?\"}");
        Path replies = Files.writeString(
                folder.resolve("replies.jsonl"), "{\"id\": \"3\", \"replies\": [\"A or B\", \"A\"]}\n");
        Score score = Benchmarks.MMBENCH
                .scorer()
                .score(new ScoreInput(Benchmarks.MMBENCH.files(folder), answers, replies, false));
        assertThat(score.value()).isZero();
        assertThat(score.warnings())
                .anyMatch(w -> w.startsWith("for 1 rows (the first is 3) there is no usable reply"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"mmbench", "mmbench_cn"})
    void asksAboutTheRowsForWhichTheReferenceHasReplies(String name) {
        Path golden = Goldens.path("evalgold/" + name);
        Map<String, String> known = new HashMap<>();
        JudgeReplies.lines(golden.resolve("judge_replies.jsonl"), (id, texts) -> known.put(id, texts.getFirst()));
        TreeSet<String> ids = new TreeSet<>();
        MmBench.ask(Benchmarks.named(name).files(golden), golden.resolve("answers.jsonl"), request -> {
            ids.add(request.id());
            return Objects.requireNonNullElse(known.get(request.id()), "Z");
        });
        assertThat(known.keySet()).containsAll(ids);
        assertThat(ids).isNotEmpty();
    }

    private void ask(String answers, Map<String, String> replies) throws Exception {
        asked.clear();
        Files.writeString(folder.resolve("mmbench_dev_20230712.tsv"), TABLE);
        Path file = Files.writeString(folder.resolve("answers.jsonl"), answers);
        MmBench.ask(Benchmarks.MMBENCH.files(folder), file, request -> {
            asked.add(request);
            return Objects.requireNonNull(replies.get(request.id()), request.id());
        });
    }
}
