package io.llava4j.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.eval.format.JsonFiles;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.reference.Checks;
import io.llava4j.eval.reference.Reference;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** NLVR2's files and score. */
class Nlvr2Test {
    private static final Benchmark NLVR2 = Benchmarks.NLVR2;

    @TempDir
    Path folder;

    @Test
    void theOfficialScriptsNumbersAreReproduced() {
        Path golden = Goldens.path("goldens/llava-next/nlvr2");
        List<String> compared = new ArrayList<>();
        List<String> differences = new ArrayList<>();
        Reference.of(NLVR2)
                .orElseThrow()
                .compare(
                        NLVR2.files(golden),
                        golden,
                        JsonFiles.tree(golden.resolve("expected.json")),
                        new Checks((name, difference) -> {
                            compared.add(name);
                            if (!difference.isEmpty()) {
                                differences.add(name + ": " + difference);
                            }
                        }));
        assertThat(differences).isEmpty();
        assertThat(compared).hasSize(4);
        Question first = NLVR2.questions(golden).getFirst();
        assertThat(first.images()).containsExactly("dev-305-3-img0.png", "dev-305-3-img1.png");
    }

    @Test
    void answersAreComparedWithoutCaseAndPeriodAndYesIsWrong() throws Exception {
        examples("dev-1-0-0 True", "dev-1-1-0 False", "dev-1-0-1 True", "dev-1-1-1 False");
        Score score = score(
                "{\"question_id\": \"dev-1-0-0\", \"text\": \" true. \"}",
                "{\"question_id\": \"dev-1-1-0\", \"text\": \"False\"}",
                "{\"question_id\": \"dev-1-0-1\", \"text\": \"Yes\"}",
                "{\"question_id\": \"dev-1-1-1\", \"text\": \"False, since\"}");
        assertThat(score.numbers())
                .containsEntry("accuracy", 0.5)
                .containsEntry("consistency", 0.5)
                .containsEntry("filtered_accuracy_percent", 100.0)
                .containsEntry("accuracy, yes and no understood", 0.75);
        assertThat(score.warnings()).isEmpty();
    }

    @Test
    void missingRepeatedAndUnknownPredictionsAreReported() throws Exception {
        examples("dev-1-0-0 True", "dev-1-1-0 False");
        Score score = score("dev-1-0-0,False", "dev-1-0-0,TRUE", "dev-9-0-0,True");
        assertThat(score.value()).isEqualTo(0.5);
        assertThat(score.warnings())
                .containsExactly(
                        "1 answers were replaced by a later one to the same question (dev-1-0-0)",
                        "1 questions have no answer and count as wrong; the official script gives no score (dev-1-1-0)",
                        "1 answers belong to no question (dev-9-0-0)");
        assertThatThrownBy(() -> score("dev-1-0-0 True"))
                .hasMessageContaining("line 1: expected identifier,prediction");
    }

    @Test
    void nlvr1IsRefusedAndSplitsHaveFolders() throws Exception {
        Files.writeString(
                folder.resolve("dev.json"), "{\"sentence\": \"s\", \"identifier\": \"12-0\", \"label\": \"true\"}\n");
        assertThatThrownBy(() -> NLVR2.questions(folder)).hasMessageContaining("NLVR 1 is another benchmark");
        examples("dev-1-0-0 True");
        assertThat(NLVR2.images(folder, folder)).isEqualTo(folder);
        Path dev = Files.createDirectories(folder.resolve("images/dev"));
        assertThat(NLVR2.images(folder, folder)).isEqualTo(dev);
    }

    private void examples(String... examples) throws Exception {
        StringBuilder lines = new StringBuilder();
        for (String example : examples) {
            lines.append("{\"sentence\": \"Both are red.\", \"identifier\": \"%s\", \"label\": \"%s\"}\n"
                    .formatted((Object[]) example.split(" ")));
        }
        Files.writeString(folder.resolve("dev.json"), lines);
    }

    private Score score(String... lines) throws Exception {
        Path answers = Files.write(folder.resolve("answers"), List.of(lines));
        return NLVR2.scorer().score(ScoreInput.official(NLVR2.files(folder), answers));
    }
}
