package io.llava4j.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.ConfigException;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.CheckpointWriter;
import io.llava4j.checkpoint.adapter.PeftAdapter;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.checkpoint.layout.WeightFile;
import io.llava4j.checkpoint.safetensors.SafeTensors;
import io.llava4j.generate.MergedModel;
import io.llava4j.io.StrictJson;
import io.llava4j.tensor.Engine;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.recipe.TrainConfig;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** Chosen layers, rank-stabilised scaling, DoRA and modules that are trained in full, from the recipe to the merged model. */
class LoraVariantsTest {
    private static final String LAYER = "model.layers.1.mlp.down_proj.";

    @TempDir
    private static Path root;

    private static TinyRun tiny;

    @BeforeAll
    static void write() {
        tiny = new TinyRun(root);
    }

    private static TrainConfig recipe(String output, String... more) {
        Map<String, String> all = new HashMap<>(
                Map.of("lora.r", "4", "lora.alpha", "12", "lora.dropout", "0", "schedule.max-steps", "6"));
        for (int i = 0; i < more.length; i += 2) {
            all.put(more[i], more[i + 1]);
        }
        return tiny.recipe("finetune", "plain", output, all);
    }

    private static double loss(Objective objective) {
        return Engine.inference(
                "a loss",
                () -> Objects.requireNonNull(objective.microBatch(0, 0, 2))
                        .get()
                        .loss()
                        .item_double());
    }

    private static double lossOf(TrainConfig config) {
        try (Objective objective = Objectives.create(config)) {
            return loss(objective);
        }
    }

    @ParameterizedTest
    @CsvSource({"rslora,true,false", "dora,false,true", "both,true,true"})
    void theMergedModelIsTheTrainedOne(String name, boolean stabilised, boolean dora) {
        TrainConfig config = recipe(
                name,
                "lora.use-rslora",
                String.valueOf(stabilised),
                "lora.use-dora",
                String.valueOf(dora),
                "lora.modules-to-save",
                "[lm_head, model.norm]");
        double start = lossOf(recipe(name + "-plain"));
        double trained;
        Path saved = root.resolve(name + "-adapter");
        try (Objective objective = Objectives.create(config)) {
            assertThat(loss(objective)).isEqualTo(start, within(1e-6));
            new Trainer(config, objective, Checkpoints.NONE, step -> {}, () -> false).run(false);
            trained = loss(objective);
            objective.save(saved);
        }
        assertThat(trained).isLessThan(start - 1e-3);
        JsonNode settings = StrictJson.object(saved.resolve("adapter_config.json"));
        assertThat(settings.get("use_rslora").booleanValue()).isEqualTo(stabilised);
        assertThat(settings.get("use_dora").booleanValue()).isEqualTo(dora);
        assertThat(settings.get("modules_to_save").toString()).isEqualTo("[\"lm_head\",\"model.norm\"]");
        assertThat(settings.get("target_modules").toString())
                .contains("model.layers.1.mlp.down_proj")
                .doesNotContain("lm_head");
        try (WeightFile file = SafeTensors.open(saved.resolve("adapter_model.safetensors"))) {
            assertThat(file.tensors().keySet())
                    .hasSize(14 * (dora ? 3 : 2) + 2)
                    .contains("base_model.model.lm_head.weight", "base_model.model.model.norm.weight");
            // PEFT's file has the lengths under this name, without ".weight".
            assertThat(file.tensors().containsKey("base_model.model." + LAYER + "lora_magnitude_vector"))
                    .isEqualTo(dora);
        }
        try (PeftAdapter adapter = PeftAdapter.open(saved);
                Checkpoint base = Checkpoint.open(tiny.language());
                MergedModel merged = MergedModel.open(saved, null, null)) {
            assertThat(adapter.others()).containsKeys("lm_head.weight", "model.norm.weight");
            assertThat(adapter.lora().scale()).isEqualTo(stabilised ? 6 : 3);
            CheckpointWriter.save(
                    root.resolve(name + "-whole"),
                    new ModelKind.Llava(merged.config()),
                    merged.tokenizer(),
                    merged.tensors());
            PeftAdapter.Pair pair = Objects.requireNonNull(adapter.pairs().get(LAYER + "weight"));
            try (Checkpoint whole = Checkpoint.open(root.resolve(name + "-whole"))) {
                assertThat(whole.tensor(LAYER + "weight").toFloats())
                        .containsExactly(sum(base.tensor(LAYER + "weight"), pair, stabilised ? 6 : 3), within(1e-6f));
                assertThat(whole.tensor("lm_head.weight").toFloats())
                        .isEqualTo(Objects.requireNonNull(adapter.others().get("lm_head.weight"))
                                .toFloats())
                        .isNotEqualTo(base.tensor("lm_head.weight").toFloats());
            }
        }
        Map<String, String> whole =
                new HashMap<>(Map.of("model.base", root.resolve(name + "-whole").toString()));
        whole.put("model.vision-tower", "");
        whole.put("model.language-model", "");
        assertThat(lossOf(tiny.recipe("finetune", "plain", name + "-from-merged", whole)))
                .isEqualTo(trained, within(1e-5));
    }

    /** In 64-bit floats: W + scale B A, with DoRA every row in its trained length. */
    private static float[] sum(TensorEntry weight, PeftAdapter.Pair pair, double scale) {
        float[] w = weight.toFloats();
        float[] a = pair.down().toFloats();
        float[] b = pair.up().toFloats();
        int in = (int) weight.shape()[1];
        float[] result = new float[w.length];
        for (int o = 0; o < weight.shape()[0]; o++) {
            double[] row = new double[in];
            double length = 0;
            for (int i = 0; i < in; i++) {
                double change = 0;
                for (int r = 0; r < 4; r++) {
                    change += (double) b[o * 4 + r] * a[r * in + i];
                }
                row[i] = w[o * in + i] + scale * change;
                length += row[i] * row[i];
            }
            TensorEntry magnitude = pair.magnitude();
            double factor = magnitude == null ? 1 : magnitude.toFloats()[o] / Math.sqrt(length);
            for (int i = 0; i < in; i++) {
                result[o * in + i] = (float) (factor * row[i]);
            }
        }
        return result;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[q_proj, v_proj]|4",
                "[all-linear]|14",
                "[layers.1.mlp.up_proj]|1",
                "[model.layers.0.self_attn.o_proj, down_proj]|3"
            })
    void theNamedLayersAreAdapted(String targets, int layers) {
        try (Objective objective = Objectives.create(recipe("targets", "lora.target-modules", targets))) {
            assertThat(objective.parameters().views().keySet())
                    .filteredOn(name -> name.endsWith("lora_A.weight"))
                    .hasSize(layers);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "lora.target-modules|[fc1]|lora.target-modules: 'fc1' ends the name of no linear layer",
                "lora.target-modules|[q_proj, lm_head]|lora.target-modules: 'lm_head' ends",
                "lora.target-modules|[proj]|lora.target-modules: 'proj' ends",
                "lora.target-modules|[]|target-modules is empty",
                "lora.modules-to-save|[classifier]|lora.modules-to-save: 'classifier' is no part",
                "lora.modules-to-save|[mm_projector]|set trainable.projector",
                "lora.modules-to-save|[vision_tower]|set trainable.vision-tower",
                "lora.modules-to-save|[up_proj]|lora.target-modules adapts"
            })
    void namesThatStandForNothingAreRefused(String key, String value, String message) {
        assertThatThrownBy(() -> Objectives.create(recipe("refused", key, value)))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(message);
    }

    @Test
    void aDoraRunThatIsResumedWithCheckpointingRepeatsAnUnbrokenOne() {
        String[] settings = {"lora.use-dora", "true", "lora.dropout", "0.3", "lora.modules-to-save", "[embed_tokens]"};
        TrainConfig unbroken = recipe("unbroken", settings);
        assertThat(TrainingRun.run(unbroken, Objectives::create, false, step -> {}, () -> false))
                .isTrue();
        int[] last = {0};
        assertThat(TrainingRun.run(
                        recipe("stopped", settings),
                        Objectives::create,
                        false,
                        step -> last[0] = step.step(),
                        () -> last[0] == 4))
                .isFalse();
        String[] more = Arrays.copyOf(settings, settings.length + 2);
        more[settings.length] = "gradient-checkpointing";
        more[settings.length + 1] = "true";
        TrainConfig resumed = recipe("stopped", more);
        assertThat(TrainingRun.run(resumed, Objectives::create, true, step -> {}, () -> false))
                .isTrue();
        for (String file : List.of("adapter_model.safetensors", "non_lora_trainables.bin", "adapter_config.json")) {
            assertThat(resumed.output().resolve("model").resolve(file))
                    .hasSameBinaryContentAs(unbroken.output().resolve("model").resolve(file));
        }
    }
}
