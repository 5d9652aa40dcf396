package io.llava4j.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.CheckpointException;
import io.llava4j.ConfigException;
import io.llava4j.train.data.DataSets;
import io.llava4j.train.data.LlavaData;
import io.llava4j.train.data.LlavaRecord;
import io.llava4j.train.data.Policy;
import io.llava4j.train.data.format.Images;
import io.llava4j.train.data.format.QuestionRows;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.recipe.TrainConfig;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Several data sets in one run, and losses by source. */
class DataSetsTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    @TempDir
    private Path root;

    private TinyRun tiny;

    /** A second set whose image has the name of one of the first. */
    @BeforeEach
    void write() throws IOException {
        tiny = new TinyRun(root);
        Path other = Files.createDirectories(root.resolve("other"));
        ImageIO.write(
                new BufferedImage(9, 30, BufferedImage.TYPE_INT_RGB),
                "png",
                other.resolve("image-1.png").toFile());
        List<Map<String, Object>> records = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            records.add(TinyRun.record("o" + i, "image-1.png", "<image>\nWhat colour is this?", "black and black"));
        }
        tiny.data("other.json", records);
    }

    @Test
    void anImageIsThatOfItsSet() throws IOException {
        TrainConfig config = recipe("images", first("") + ", " + second("repeat: 2.5"));
        try (LlavaData data =
                DataSets.read(config.data(), Policy.FAIL, QuestionRows.STANDARD, DataSets.Take.EPOCH, config.seed())) {
            assertThat(data.records()).hasSize(36 + 10);
            assertThat(data.distinct()).isEqualTo(40);
            assertThat(data.recordsByPart()).containsOnlyKeys("base", "other");
            Images images = data.images(null, false);
            assertThat(images.decode("other/image-1.png").height()).isEqualTo(30);
            assertThat(images.decode("base/image-1.png").height()).isEqualTo(14);
            assertThat(data.records().getLast().images()).containsExactly("other/image-1.png");
            assertThat(data.skip(45, "why").file()).endsWith("other.json");
            assertThat(data.skip(2, "why").file()).endsWith("finetune.json");
        }
        try (LlavaData data =
                DataSets.read(config.data(), Policy.FAIL, QuestionRows.STANDARD, DataSets.Take.ALL, config.seed())) {
            assertThat(data.records())
                    .hasSize(40)
                    .extracting(LlavaRecord::source)
                    .contains("base", "other");
        }
    }

    /** One set without a key is the same run as data.json, number for number. */
    @Test
    void oneSetIsTheSameRun() throws IOException {
        TrainConfig sets = recipe("sets", first(""));
        TrainConfig plain = tiny.recipe("finetune", "plain", "single", Map.of());
        run(sets, false, 99, new ArrayList<>());
        run(plain, false, 99, new ArrayList<>());
        assertThat(metrics(sets))
                .extracting(line -> line.path("loss").asDouble())
                .isEqualTo(metrics(plain).stream()
                        .map(line -> line.path("loss").asDouble())
                        .toList());
        assertThat(metrics(plain)).noneMatch(line -> line.has("loss_by_source"));
    }

    @Test
    void theLossOfEachSetIsReportedAndResumeIsExact() throws IOException {
        TrainConfig whole = recipe("whole", first("limit: 20") + ", " + second("repeat: 4"));
        List<String> notes = new ArrayList<>();
        run(whole, false, 99, notes);
        assertThat(notes)
                .contains(
                        "data set base: 36 records, 20 samples of an epoch",
                        "data set other: 4 records, 16 samples of an epoch");
        JsonNode result = JSON.readTree(Files.readString(whole.output().resolve("result.json")));
        assertThat(result.path("data_sets")
                        .path("other")
                        .path("samples_per_epoch")
                        .asInt())
                .isEqualTo(16);
        List<JsonNode> lines = metrics(whole);
        assertThat(lines).allSatisfy(line -> {
            double sum = 0;
            for (JsonNode loss : line.path("loss_by_source")) {
                sum += loss.asDouble();
            }
            assertThat(sum).isPositive();
        });
        assertThat(lines).anyMatch(line -> line.path("loss_by_source").has("other"));

        TrainConfig broken = recipe("broken", first("limit: 20") + ", " + second("repeat: 4"));
        run(broken, false, 4, notes);
        run(broken, true, 99, notes);
        assertThat(metrics(broken)).isEqualTo(lines);
        assertThat(Files.readAllBytes(broken.output().resolve("model/model.safetensors")))
                .isEqualTo(Files.readAllBytes(whole.output().resolve("model/model.safetensors")));
    }

    /** With one sample a step the step's loss is that of its source; reporting it moves nothing. */
    @Test
    void theFieldSourceOfOneSetIsUsed() throws IOException {
        List<Map<String, Object>> records = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            Map<String, Object> record = TinyRun.record(
                    "r" + i, "image-" + i + ".png", "<image>\nWhat colour is this?", "red".repeat(1 + i));
            if (i % 3 > 0) {
                record.put("source", i % 3 == 1 ? "vqa" : "gqa");
            }
            records.add(record);
        }
        Path named = tiny.data("named.json", records);
        records.forEach(record -> record.remove("source"));
        Path unnamed = tiny.data("unnamed.json", records);
        Map<String, String> one = Map.of("batch.per-device", "1", "batch.accumulation", "1");
        Map<String, String> with = new HashMap<>(one);
        with.put("data.json", named.toString());
        Map<String, String> without = new HashMap<>(one);
        without.put("data.json", unnamed.toString());
        TrainConfig first = tiny.recipe("finetune", "plain", "named", with);
        TrainConfig second = tiny.recipe("finetune", "plain", "unnamed", without);
        run(first, false, 99, new ArrayList<>());
        run(second, false, 99, new ArrayList<>());
        List<JsonNode> lines = metrics(first);
        assertThat(lines).allSatisfy(line -> {
            assertThat(line.path("loss_by_source")).hasSize(1);
            assertThat(line.path("loss_by_source").values().iterator().next().asDouble())
                    .isCloseTo(line.path("loss").asDouble(), within(1e-6));
        });
        assertThat(lines.stream().flatMap(line -> line.path("loss_by_source").propertyNames().stream()))
                .contains("vqa", "gqa", "(no source)");
        assertThat(lines.stream().map(line -> (JsonNode) ((ObjectNode) line).without("loss_by_source")))
                .containsExactlyElementsOf(metrics(second));
    }

    @Test
    void aChangeInAnySetIsNamed() throws IOException {
        String sets = first("") + ", " + second("");
        TrainConfig config = recipe("changed", sets);
        run(config, false, 4, new ArrayList<>());
        Path file = root.resolve("other.json");
        Files.writeString(file, Files.readString(file).replace("black and black", "black and white"));
        assertThatThrownBy(() -> run(config, true, 99, new ArrayList<>()))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("other inputs: records of data.sets other;");
        TrainConfig limited = recipe("changed", first("limit: 9") + ", " + second(""));
        assertThatThrownBy(() -> run(limited, true, 99, new ArrayList<>()))
                .hasMessageContaining("other settings: data.sets");
    }

    /** A missing image counts once, however often its record is repeated. */
    @Test
    void aRepeatedRecordIsLeftOutOnce() throws IOException {
        Files.delete(tiny.images().resolve("image-3.png"));
        TrainConfig config = recipe(
                "missing",
                first("repeat: 3") + ", " + second(""),
                Map.of("data.missing-image-policy", "skip", "data.max-left-out", "0.03"));
        List<String> notes = new ArrayList<>();
        run(config, false, 99, notes);
        assertThat(notes).anyMatch(note -> note.startsWith("1 of 40 records are left out"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{json: a.json, weight: 1, limit: 2}|data.sets[0].name a has more than one of weight, limit and repeat",
                "{json: a.json, weight: 1}, {json: b.json}|data.sets has one data set with a weight",
                "{json: a.json}, {json: x/a.json}|data.sets has two data sets with the name a",
                "{json: a.json, name: a/b}|data.sets[0].name is 'a/b'",
                "{json: a.json, repeat: 0}|data.sets[0].repeat is 0.0",
                "{json: a.json, limit: 0}|data.sets[0].limit is 0",
                "{json: a.json, weigth: 2}|did you mean 'data.sets[0].weight'",
                "{name: a}|data.sets[0].json is missing",
                "|data.sets is empty",
            })
    void refusals(String sets, String message) {
        assertThatThrownBy(() -> recipe("refused", sets == null ? "" : sets))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(message);
    }

    @Test
    void oneFileAndSeveralSetsExclude() {
        assertThatThrownBy(() -> recipe("both", first(""), Map.of("data.json", "a.json")))
                .hasMessageContaining("data.sets is set, so json cannot be set as well");
        assertThatThrownBy(() -> recipe("both", first(""), Map.of("data.images", "a")))
                .hasMessageContaining("data.sets is set, so images cannot be set as well");
    }

    private String first(String more) {
        return "{name: base, json: '%s', images: '%s', %s}"
                .formatted(root.resolve("finetune.json"), tiny.images(), more);
    }

    private String second(String more) {
        return "{json: '%s', images: '%s', %s}".formatted(root.resolve("other.json"), root.resolve("other"), more);
    }

    private TrainConfig recipe(String output, String sets) {
        return recipe(output, sets, Map.of());
    }

    private TrainConfig recipe(String output, String sets, Map<String, String> overrides) {
        return tiny.recipeOfSets(output, sets, overrides);
    }

    private static void run(TrainConfig config, boolean resume, int until, List<String> notes) {
        int[] last = {0};
        TrainingListener listener = new TrainingListener() {
            @Override
            public void note(String sentence) {
                notes.add(sentence);
            }

            @Override
            public void step(Step step) {
                last[0] = step.step();
            }
        };
        TrainingRun.run(config, Objectives::create, resume, listener, () -> last[0] >= until);
    }

    private static List<JsonNode> metrics(TrainConfig config) throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        for (String line : Files.readAllLines(config.output().resolve("metrics.jsonl"), StandardCharsets.UTF_8)) {
            ObjectNode node = (ObjectNode) JSON.readTree(line);
            node.remove(List.of("seconds", "time", "tokens_per_second", "tflops"));
            lines.add(node);
        }
        return lines;
    }
}
