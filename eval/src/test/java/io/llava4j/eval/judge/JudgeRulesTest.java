package io.llava4j.eval.judge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.DataException;
import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.format.QuestionId;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JudgeRulesTest {
    @TempDir
    Path folder;

    @Test
    void pointsStandInTheFirstLineWithOneSpaceOrComma() {
        assertThat(Review.parse("8 9\nfine")).containsExactly(8.0, 9.0);
        assertThat(Review.parse("8,9.5")).containsExactly(8.0, 9.5);
        assertThat(Review.parse("8 9\r\nfine")).containsExactly(8.0, 9.0);
        assertThat(Review.parse("-1 7")).containsExactly(-1.0, 7.0);
        for (String bad : List.of("8, 9", "8 9 ", "8  9", "8\t9", "8/10 9", "", "Assistant 1: 8")) {
            assertThat(Review.parse(bad)).as(bad).containsExactly(-1, -1);
        }
    }

    @Test
    void unreadableRepliesStayInTheMeanUnlessStrict() throws Exception {
        Path reviews = Files.writeString(folder.resolve("review.jsonl"), """
                {"id": 1, "question_id": 0, "category": "llava_bench_conv", "content": "", "tuple": [8, 8]}
                {"id": 2, "question_id": 1, "category": "llava_bench_conv", "content": "", "tuple": [-1, -1]}
                """);
        Score score = Benchmarks.LLAVA_BENCH
                .scorer()
                .score(new ScoreInput(Benchmarks.LLAVA_BENCH.files(folder), reviews, null, true));
        assertThat(score.numbers()).containsEntry("all/gpt4_x10", 35.0).containsEntry("all", 100.0);
        assertThat(score.strictNumbers()).containsEntry("all", 100.0);
        assertThat(score.warnings())
                .containsExactly("1 replies have no two numbers in their first line; they count as -1 and -1");
    }

    @Test
    void theRatioIsTakenFromRoundedMeans() {
        List<Review> reviews = new ArrayList<>();
        for (double[] points : new double[][] {{9, 7}, {8, 7}, {8, 6}}) {
            reviews.add(new Review(1, QuestionId.of(1), "", "", null, "", List.of(points[0], points[1])));
        }
        // 8.333 and 6.667, not 25/3 and 20/3: 80.0 as both round, but the exact ratio is kept apart
        LlavaBench.Line line =
                Objects.requireNonNull(LlavaBench.summary(reviews).get("all"));
        assertThat(line.relative()).isEqualTo(80.0);
        assertThat(line.reference()).isEqualTo(83.3);
        assertThat(line.exact()).isEqualTo(20 / 3.0 / (25 / 3.0) * 100);
    }

    @Test
    void mmVetAsksAgainEverWarmerAndGivesUpAfterFive() {
        MmVet.Sample sample = new MmVet.Sample("v1_0", "v1_0.png", "q", "1<AND>2<OR>3", List.of("ocr"));
        List<JudgeRequest> asked = new ArrayList<>();
        Deque<String> replies = new ArrayDeque<>(List.of(" 0.5", "?", "1.5", "x", "-0.1", "0.9"));
        MmVet.Grade grade = MmVet.grade(sample, "answer", "P", request -> {
            asked.add(request);
            return replies.removeFirst();
        });
        assertThat(grade.scores()).containsExactly(0.0);
        assertThat(grade.contents()).containsExactly("0.9");
        assertThat(asked).extracting(JudgeRequest::temperature).containsExactly(0.0, 0.0, 0.5, 1.0, 1.5, 2.0);
        assertThat(asked.getFirst().messages().getFirst().content()).isEqualTo("P\nq | 1 <AND> 2 <OR> 3 | answer | ");
        assertThat(asked.getLast().messages().getFirst().content())
                .isEqualTo("P\nq | 1 <AND> 2 <OR> 3 | answer | \nPredict the correctness of the answer (digit): ");
    }

    @Test
    void aGradeOfNanPassesAndSpoilsTheMeanUnlessStrict() throws Exception {
        Files.writeString(folder.resolve("mm-vet.json"), """
                {"v1_0": {"imagename": "a.png", "question": "q", "answer": "x", "capability": ["ocr", "math"]},
                 "v1_1": {"imagename": "b.png", "question": "q", "answer": "x", "capability": ["ocr"]}}
                """);
        Path grades = Files.writeString(
                folder.resolve("grades.json"), "{\"v1_0\": {\"score\": [NaN]}, \"v1_1\": {\"score\": [0.25]}}");
        Score score = score(grades);
        assertThat(score.value()).isNaN();
        assertThat(score.strictNumbers())
                .containsEntry("total", 12.5)
                .containsEntry("ocr", 12.5)
                .containsEntry("set/math_ocr", 0.0)
                .containsEntry("set/ocr", 25.0);
        Path unknown = Files.writeString(folder.resolve("unknown.json"), "{\"v1_9\": {\"score\": [1]}}");
        assertThatThrownBy(() -> score(unknown))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("v1_9");
    }

    @Test
    void numpyRoundsByScaling() {
        MmVetScore score = MmVetScore.of(
                Map.of("v1_0", new MmVet.Sample("v1_0", "", "", "", List.of("rec"))),
                Map.of("v1_0", new MmVet.Grade(List.of(), List.of(), List.of(0.5, 0.7))));
        assertThat(score.numbers(1)).containsEntry("total", 60.0).containsEntry("std", 10.0);
    }

    @Test
    void repliesThatAreMissingAreNamed() throws Exception {
        Path file = Files.writeString(folder.resolve("replies.jsonl"), "{\"id\": 1, \"reply\": \"8 9\"}\n");
        JudgeReplies replies = JudgeReplies.read(file);
        JudgeRequest request = new JudgeRequest("1", "m", List.of(), 0, 1);
        assertThat(replies.apply(request)).isEqualTo("8 9");
        assertThatThrownBy(() -> replies.apply(request))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("none (left) for 1");
    }

    private Score score(Path grades) {
        return Benchmarks.MM_VET.scorer().score(new ScoreInput(Benchmarks.MM_VET.files(folder), grades, null, true));
    }
}
