package io.llava4j.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.recipe.TrainConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Operations of a step, the speed that follows from them, and its share of a stated peak. */
class SpeedMetricsTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    @TempDir
    private Path root;

    @Test
    void operationsAreThoseOfTheShapes() {
        TinyRun tiny = new TinyRun(root);
        Path texts = tiny.data("texts.json", List.of(TinyRun.record("t", "", "Is red a colour?", "yes and yes")));
        Map<String, String> one = Map.of(
                "data.json",
                texts.toString(),
                "batch.per-device",
                "1",
                "batch.accumulation",
                "1",
                "schedule.max-steps",
                "1");
        List<TrainingListener.Step> steps = steps(tiny.recipe("finetune", "plain", "one", one));
        // Two blocks: q, k, v, o, three matrices of the MLP, two norms; then the final norm.
        double perToken = 2 * (16 * 16 + 2 * 16 * 8 + 16 * 16 + 3 * 16 * 32 + 2 * 16) + 16;
        double tokens = steps.getFirst().tokens();
        double vocabulary = SentencePieceTokenizer.load(tiny.language()).vocabSize();
        assertThat(steps.getFirst().operations())
                .isEqualTo(6 * perToken * tokens
                        + 6 * 2 * 16 * tokens * tokens
                        + 6 * vocabulary * 16 * steps.getFirst().supervisedTokens());
    }

    @Test
    void repeatedBlocksAndTheOrderOfMicroBatchesDoNotCount() {
        TinyRun tiny = new TinyRun(root);
        List<Double> plain = operations(tiny.recipe("finetune", "plain", "plain", Map.of()));
        assertThat(plain).hasSize(10).allMatch(each -> each > 0);
        assertThat(operations(tiny.recipe("finetune", "plain", "again", Map.of("gradient-checkpointing", "true"))))
                .isEqualTo(plain);
        assertThat(operations(tiny.recipe("finetune", "plain", "parallel", Map.of("batch.parallel", "2"))))
                .isEqualTo(plain);
    }

    @Test
    void metricsHaveTheSpeedAndOnlyWithAPeakItsShare() throws IOException {
        TinyRun tiny = new TinyRun(root);
        for (JsonNode line : metrics(tiny.recipe("finetune", "plain", "without", Map.of()))) {
            assertThat(line.path("tflops").asDouble()).isPositive();
            assertThat(line.has("mfu")).isFalse();
        }
        for (JsonNode line : metrics(tiny.recipe("finetune", "plain", "with", Map.of("logging.peak-tflops", "0.5")))) {
            assertThat(line.path("mfu").asDouble())
                    .isCloseTo(line.path("tflops").asDouble() / 0.5, within(1e-12));
        }
    }

    private static List<JsonNode> metrics(TrainConfig config) throws IOException {
        TrainingRun.run(config, Objectives::create, false, step -> {}, () -> false);
        return Files.readAllLines(config.output().resolve("metrics.jsonl")).stream()
                .map(JSON::readTree)
                .toList();
    }

    private static List<Double> operations(TrainConfig config) {
        return steps(config).stream().map(TrainingListener.Step::operations).toList();
    }

    private static List<TrainingListener.Step> steps(TrainConfig config) {
        List<TrainingListener.Step> steps = new ArrayList<>();
        TrainingRun.run(config, Objectives::create, false, steps::add, () -> false);
        return steps;
    }
}
