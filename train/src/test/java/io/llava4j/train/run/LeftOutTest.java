package io.llava4j.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.checkpoint.safetensors.SafeTensorsWriter;
import io.llava4j.train.data.SkippedRecord;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.recipe.TrainConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a run cannot use, and what it would destroy, is said before its first step. */
class LeftOutTest {
    @TempDir
    static Path dir;

    private static TinyRun tiny;

    @BeforeAll
    static void prepare() {
        tiny = new TinyRun(dir);
    }

    @Test
    void missingImagesAreFoundBeforeTheFirstStep() {
        TrainConfig strict = recipe("strict", 20, 1, Map.of());
        assertThatThrownBy(() -> run(strict, new ArrayList<>()))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("strict.json, record 20 (id lost-0): image 'lost-0.png' does not exist");
        assertThat(strict.output()).doesNotExist();

        List<String> notes = new ArrayList<>();
        assertThat(run(recipe("lenient", 20, 1, Map.of("data.missing-image-policy", "skip")), notes))
                .isTrue();
        assertThat(notes)
                .anySatisfy(note -> assertThat(note).startsWith("1 of 21 records are left out; the first: "))
                .anySatisfy(note -> assertThat(note).contains("projector starts from random weights"));
    }

    @Test
    void aRunThatLeavesOutTooMuchIsRefused() {
        Map<String, String> skip = Map.of("data.missing-image-policy", "skip");
        assertThatThrownBy(() -> run(recipe("too-much", 18, 2, skip), new ArrayList<>()))
                .hasMessageContaining("2 of 20 records cannot be used, more than data.max-left-out 0.05")
                .hasMessageContaining("lost-0.png")
                .hasMessageContaining("lost-1.png");
        Map<String, String> all = new HashMap<>(skip);
        all.put("data.max-left-out", "1");
        assertThatThrownBy(() -> DryRun.run(recipe("all", 0, 5, all), Objectives::create, note -> {}))
                .hasMessageContaining("none of the 5 records can be used")
                .hasMessageContaining("and 2 more");
        assertThat(run(recipe("allowed", 18, 2, all), new ArrayList<>())).isTrue();
    }

    /** Damage is found when an image is decoded: it is counted, said at the end, and limited like what is missing. */
    @Test
    void damagedImagesAreCountedAndLimited() throws Exception {
        Files.writeString(tiny.images().resolve("broken.png"), "<html>");
        List<Map<String, Object>> records = records(23, 0);
        records.add(TinyRun.record("broken", "broken.png", "<image>\nIs it?", "yes"));
        Map<String, String> skip = Map.of(
                "data.missing-image-policy", "skip", "schedule.max-steps", "13", "data.group-by-modality", "false");
        TrainConfig lenient = recipe("damaged", records, skip);
        List<String> notes = new ArrayList<>();
        assertThat(run(lenient, notes)).isTrue();
        assertThat(notes)
                .anySatisfy(note -> assertThat(note)
                        .startsWith("1 records were left out; the first: ")
                        .contains("broken")
                        .contains("skipped.jsonl lists them"));
        assertThat(Files.readString(lenient.output().resolve("result.json"))).contains("\"left_out_records\":1");

        List<Map<String, Object>> first = List.of(
                TinyRun.record("broken", "broken.png", "<image>\nIs it?", "yes"),
                TinyRun.record("good", "image-1.png", "<image>\nIs it?", "yes"));
        TrainConfig strict = recipe("strict-damage", first, skip);
        assertThatThrownBy(() -> run(strict, new ArrayList<>()))
                .hasMessageContaining("1 of 2 records cannot be used, more than data.max-left-out 0.05");

        Map<String, String> all = new HashMap<>(skip);
        all.put("data.max-left-out", "1");
        all.put("batch.per-device", "1");
        all.put("batch.accumulation", "1");
        String line = DryRun.run(recipe("dry-damage", first, all), Objectives::create, note -> {});
        assertThat(line).startsWith("13 steps of 1 samples").doesNotContain("NaN");
    }

    /** A process knows what the others leave out, so that all stop at the same step. */
    @Test
    void whatOtherProcessesLeaveOutCountsOnceAndIsLimited() {
        TrainConfig config = recipe("ranks", 20, 0, Map.of());
        try (Objective objective = Objectives.create(config)) {
            SkippedRecord lost = new SkippedRecord("data.json", 3, "three", "broken.png is damaged");
            objective.skippedElsewhere(List.of());
            objective.skippedElsewhere(List.of(lost));
            objective.skippedElsewhere(List.of(lost));
            assertThatThrownBy(() -> objective.skippedElsewhere(
                            List.of(new SkippedRecord("data.json", 5, "five", "also.png is damaged"))))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("2 of 20 records cannot be used, more than data.max-left-out 0.05")
                    .hasMessageContaining("broken.png")
                    .hasMessageContaining("also.png");
        }
    }

    @Test
    void anEarlierRunIsDeletedOnlyOnRequest() {
        TrainConfig config = recipe("earlier", 8, 0, Map.of("schedule.max-steps", "3", "logging.every-steps", "2"));
        int[] last = {0};
        assertThat(TrainingRun.run(
                        config, Objectives::create, false, step -> last[0] = step.step(), () -> last[0] == 1))
                .isFalse();
        assertThatThrownBy(() -> run(config, new ArrayList<>()))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("holds the checkpoint step-000001; continue with --resume")
                .hasMessageContaining("--overwrite");
        for (int again = 0; again < 2; again++) {
            assertThat(TrainingRun.run(
                            config, Objectives::create, TrainingRun.Start.OVERWRITE, step -> {}, () -> false))
                    .isTrue();
        }
        TrainConfig other = recipe("earlier", 8, 0, Map.of("schedule.max-steps", "4", "logging.every-steps", "2"));
        assertThatThrownBy(() -> TrainingRun.run(other, Objectives::create, true, step -> {}, () -> false))
                .hasMessageContaining("is finished already with 3 steps; other settings need another output");
    }

    @Test
    void anErrorInMidRunKeepsTheStepsDone() throws Exception {
        Path image = tiny.images().resolve("late.png");
        Files.copy(tiny.images().resolve("image-1.png"), image);
        List<Map<String, Object>> records = records(23, 0);
        records.add(TinyRun.record("late", "late.png", "<image>\nIs it?", "yes"));
        TrainConfig late = recipe("late", records, Map.of("schedule.max-steps", "30", "data.workers", "1"));
        assertThatThrownBy(() -> TrainingRun.run(
                        late,
                        Objectives::create,
                        false,
                        step -> {
                            if (step.step() == 7) {
                                delete(image);
                            }
                        },
                        () -> false))
                .hasMessageContaining("late.png");
        try (var states = Files.list(late.output().resolve("checkpoints"))) {
            assertThat(states.map(state -> state.getFileName().toString()).toList())
                    .singleElement()
                    .satisfies(name -> assertThat(name).isGreaterThan("step-000006"));
        }
    }

    @Test
    void aProjectorOfAnotherWidthIsNamed() {
        Path file = dir.resolve("wide.safetensors");
        SafeTensorsWriter.write(
                file,
                List.of(
                        TensorSource.of("model.mm_projector.0.weight", new float[16 * 20], 16, 20),
                        TensorSource.of("model.mm_projector.0.bias", new float[16], 16),
                        TensorSource.of("model.mm_projector.2.weight", new float[256], 16, 16),
                        TensorSource.of("model.mm_projector.2.bias", new float[16], 16)),
                Map.of());
        TrainConfig wide = recipe("wide", 4, 0, Map.of("model.projector", file.toString()));
        assertThatThrownBy(() -> DryRun.run(wide, Objectives::create, note -> {}))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(
                        "model.mm_projector.0.weight has the shape [16, 20] where the model needs [16, 16]");
        TrainConfig tooLong = recipe("long", 4, 0, Map.of("data.max-length", "999"));
        assertThatThrownBy(() -> DryRun.run(tooLong, Objectives::create, note -> {}))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("data.max-length 999 is more than the 200 positions");
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static boolean run(TrainConfig config, List<String> notes) {
        TrainingListener listener = new TrainingListener() {
            @Override
            public void note(String sentence) {
                notes.add(sentence);
            }

            @Override
            public void step(Step step) {}
        };
        return TrainingRun.run(config, Objectives::create, false, listener, () -> false);
    }

    private static List<Map<String, Object>> records(int good, int lost) {
        List<Map<String, Object>> records = new ArrayList<>();
        for (int i = 0; i < good; i++) {
            records.add(TinyRun.record("good-" + i, "image-" + i + ".png", "<image>\nIs it?", "yes"));
        }
        for (int i = 0; i < lost; i++) {
            records.add(TinyRun.record("lost-" + i, "lost-" + i + ".png", "<image>\nIs it?", "yes"));
        }
        return records;
    }

    private static TrainConfig recipe(String name, int good, int lost, Map<String, String> settings) {
        return recipe(name, records(good, lost), settings);
    }

    private static TrainConfig recipe(String name, List<Map<String, Object>> records, Map<String, String> settings) {
        Map<String, String> all = new HashMap<>(Map.of("schedule.max-steps", "2"));
        all.putAll(settings);
        all.put("data.json", tiny.data(name + ".json", records).toString());
        return tiny.recipe("finetune", "plain", name, all);
    }
}
