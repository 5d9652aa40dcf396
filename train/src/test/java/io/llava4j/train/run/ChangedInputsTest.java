package io.llava4j.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.CheckpointException;
import io.llava4j.ConfigException;
import io.llava4j.checkpoint.safetensors.SafeTensors;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.recipe.TrainConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A resumed run notices that what it reads is no longer what its checkpoint was made with, and names it. */
class ChangedInputsTest {
    @TempDir
    private Path root;

    private TinyRun tiny;
    private TrainConfig config;

    @BeforeEach
    void stopAtStepFour() {
        tiny = new TinyRun(root);
        config = tiny.recipe("finetune", "plain", "run", Map.of());
        int[] last = {0};
        assertThat(TrainingRun.run(
                        config, Objectives::create, false, step -> last[0] = step.step(), () -> last[0] == 4))
                .isFalse();
    }

    @Test
    void aChangedAnswer() throws IOException {
        replace(root.resolve("finetune.json"), "\"red\"", "\"rot\"");
        assertRefused("other inputs: records of data.json;");
    }

    @Test
    void aRecordMore() throws IOException {
        replace(
                root.resolve("finetune.json"),
                "[{\"id\":\"p0\"",
                "[{\"id\":\"more\",\"conversations\":[{\"from\":\"human\",\"value\":\"a\"},{\"from\":\"gpt\",\"value\":\"b\"}]},{\"id\":\"p0\"");
        assertRefused("other inputs: records of data.json (36 then, 37 now);");
    }

    /** A finished run with other data or weights is not said to be done. */
    @Test
    void aFinishedRunNamesWhatHasChanged() throws IOException {
        assertThat(resume(TrainingRun.Start.RESUME, new ArrayList<>())).isTrue();
        assertThat(resume(TrainingRun.Start.RESUME, new ArrayList<>())).isTrue();

        replace(root.resolve("finetune.json"), "\"red\"", "\"rot\"");
        for (TrainingRun.Start start : List.of(TrainingRun.Start.RESUME, TrainingRun.Start.RESUME_CHANGED)) {
            assertThatThrownBy(() -> resume(start, new ArrayList<>()))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("is finished already with ")
                    .hasMessageEndingWith("other inputs need another output; changed: records of data.json");
        }
        Files.delete(config.output().resolve("inputs.json"));
        assertThat(resume(TrainingRun.Start.RESUME, new ArrayList<>())).isTrue();
    }

    /** Only spaces differ: what is learnt is the same. */
    @Test
    void anotherSpellingOfTheSameRecords() throws IOException {
        replace(root.resolve("finetune.json"), "},{", "},\n {");
        assertThat(resume(TrainingRun.Start.RESUME, new ArrayList<>())).isTrue();
    }

    /** The same size: only the content tells. */
    @Test
    void aChangedImage() throws IOException {
        Path image = tiny.images().resolve("image-3.png");
        byte[] bytes = Files.readAllBytes(image);
        bytes[bytes.length / 2] ^= 1;
        Files.write(image, bytes);
        assertRefused("other inputs: images of data.json;");
    }

    @Test
    void aChangedTowerAndTokenizer() throws IOException {
        Path weights = tiny.tower("plain").resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(weights);
        bytes[bytes.length - 3] ^= 1;
        Files.write(weights, bytes);
        replace(tiny.language().resolve("tokenizer_config.json"), "{", "{ ");
        assertRefused("other inputs: weights of the vision tower, tokenizer;");

        List<String> notes = new ArrayList<>();
        assertThat(resume(TrainingRun.Start.RESUME_CHANGED, notes)).isTrue();
        assertThat(notes)
                .contains(
                        "changed since the last checkpoint: weights of the vision tower",
                        "changed since the last checkpoint: tokenizer");
    }

    @Test
    void changedSettingsAreNamedAndCanBeAccepted() {
        config = tiny.recipe("finetune", "plain", "run", Map.of("optimizer.learning-rate", "0.02", "seed", "43"));
        assertRefused("other settings: seed (42 then, 43 now), optimizer.learning-rate (0.01 then, 0.02 now);");
        List<String> notes = new ArrayList<>();
        assertThat(resume(TrainingRun.Start.RESUME_CHANGED, notes)).isTrue();
        assertThat(notes).contains("changed since the last checkpoint: seed (42 then, 43 now)");
    }

    /** Whatever the error is, at the first of its steps or in the listener of a later one. */
    @Test
    void anyErrorKeepsTheStepsDone() {
        for (int failing : new int[] {5, 8}) {
            List<String> notes = new ArrayList<>();
            TrainingListener listener = new TrainingListener() {
                @Override
                public void note(String sentence) {
                    notes.add(sentence);
                }

                @Override
                public void step(Step step) {
                    if (step.step() == failing) {
                        throw new OutOfMemoryError("no heap left");
                    }
                }
            };
            assertThatThrownBy(() -> TrainingRun.run(config, Objectives::create, true, listener, () -> false))
                    .isInstanceOf(OutOfMemoryError.class);
            assertThat(notes)
                    .contains("the run ends with an error; its first %d steps are saved, continue with --resume"
                            .formatted(failing));
            assertThat(stateOf(failing)).containsEntry("step", Integer.toString(failing));
        }
    }

    /** The model of the last step cannot be written: a folder stands in its place. */
    @Test
    void anErrorWhileTheModelIsSavedKeepsTheStepsDone() throws IOException {
        TrainingListener block = new TrainingListener() {
            @Override
            public void step(Step step) {}

            @Override
            public void end(boolean complete) {
                try {
                    Files.writeString(
                            Files.createDirectories(config.output().resolve("model"))
                                    .resolve("other"),
                            "");
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            }
        };
        assertThatThrownBy(() -> TrainingRun.run(config, Objectives::create, true, block, () -> false))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("exists already");
        assertThat(stateOf(10)).containsEntry("samples", "40");
        Files.delete(config.output().resolve("model/other"));
        Files.delete(config.output().resolve("model"));
        assertThat(resume(TrainingRun.Start.RESUME, new ArrayList<>())).isTrue();
        assertThat(config.output().resolve("model")).exists();
        assertThat(Files.readString(config.output().resolve("result.json")))
                .isEqualTo("{\"steps\":10,\"samples\":40,\"left_out_records\":0,\"cut_samples\":0,\"cut_tokens\":0}");
    }

    private Map<String, String> stateOf(int step) {
        Path file = config.output().resolve("checkpoints/step-%06d/state.safetensors".formatted(step));
        try (SafeTensors state = SafeTensors.open(file)) {
            return state.metadata();
        }
    }

    private void assertRefused(String changes) {
        assertThatThrownBy(() -> resume(TrainingRun.Start.RESUME, new ArrayList<>()))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("step-000004 belongs to a run with " + changes)
                .hasMessageContaining("--resume --accept-changes");
    }

    private boolean resume(TrainingRun.Start start, List<String> notes) {
        TrainingListener listener = new TrainingListener() {
            @Override
            public void note(String sentence) {
                notes.add(sentence);
            }

            @Override
            public void step(Step step) {}
        };
        return TrainingRun.run(config, Objectives::create, start, listener, () -> false);
    }

    private static void replace(Path file, String old, String replacement) throws IOException {
        String text = Files.readString(file);
        assertThat(text).contains(old);
        Files.write(file, text.replace(old, replacement).getBytes(StandardCharsets.UTF_8));
    }
}
