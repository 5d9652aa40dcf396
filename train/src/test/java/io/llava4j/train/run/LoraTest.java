package io.llava4j.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.CheckpointException;
import io.llava4j.ConfigException;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.CheckpointWriter;
import io.llava4j.checkpoint.adapter.PeftAdapter;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.checkpoint.layout.WeightFile;
import io.llava4j.checkpoint.safetensors.SafeTensors;
import io.llava4j.generate.MergedModel;
import io.llava4j.generate.ModelLoader;
import io.llava4j.io.StrictJson;
import io.llava4j.model.LlavaModel;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.recipe.TrainConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** Low-rank adapters from the first step to the merged model, and gradient checkpointing. */
class LoraTest {
    private static final Map<String, String> LORA = Map.of("lora.r", "4", "lora.alpha", "12", "lora.dropout", "0");
    private static final String LAYER = "model.layers.1.mlp.down_proj.";

    @TempDir
    private static Path root;

    private static TinyRun tiny;

    @BeforeAll
    static void write() {
        tiny = new TinyRun(root);
    }

    /** Losses, gradients and parameters of every step. */
    private static final class Course implements TrainingListener {
        private final List<Double> losses = new ArrayList<>();
        private final List<Map<String, float[]>> gradients = new ArrayList<>();
        private final List<float[]> values = new ArrayList<>();

        @Override
        public void gradients(TrainableParameters parameters) {
            Map<String, float[]> copies = new LinkedHashMap<>();
            parameters.views().forEach((name, view) -> copies.put(name, Tensors.toFloats(view.grad())));
            gradients.add(copies);
            values.add(Tensors.toFloats(parameters.values()));
        }

        @Override
        public void step(Step step) {
            losses.add(step.loss());
        }

        float[] firstGradient(String name) {
            return Objects.requireNonNull(gradients.getFirst().get(name));
        }
    }

    private static Map<String, String> with(Map<String, String> settings, String... more) {
        Map<String, String> all = new HashMap<>(settings);
        for (int i = 0; i < more.length; i += 2) {
            all.put(more[i], more[i + 1]);
        }
        return all;
    }

    private static Course course(TrainConfig config) {
        Course course = new Course();
        try (Objective objective = Objectives.create(config)) {
            new Trainer(config, objective, Checkpoints.NONE, course, () -> false).run(false);
        }
        return course;
    }

    @Test
    void everyLinearLayerOfTheLanguageModelIsAdaptedAndNoneOfTheTower() {
        TrainConfig config = tiny.recipe("finetune", "plain", "parts", LORA);
        try (Objective objective = Objectives.create(config)) {
            List<String> adapted = objective.parameters().views().keySet().stream()
                    .filter(name -> name.contains(".lora_"))
                    .toList();
            assertThat(adapted).hasSize(2 * 7 * 2).allMatch(name -> name.startsWith("model.layers."));
            assertThat(objective.parameters().views().keySet())
                    .hasSize(adapted.size() + 4)
                    .contains(LAYER + "lora_A.weight", "model.mm_projector.2.bias");
        }
    }

    /** dB = alpha / r * dW A^T, where dW is the gradient of full training; and A gets none while B is zero. */
    @Test
    void adaptersStartWithoutEffectAndWithTheGradientOfTheirLayer() {
        Map<String, String> brief = Map.of("schedule.max-steps", "1", "optimizer.max-grad-norm", "0");
        Course full = course(tiny.recipe("finetune", "plain", "full", brief));
        TrainConfig config = tiny.recipe(
                "finetune", "plain", "adapted", with(LORA, "schedule.max-steps", "1", "optimizer.max-grad-norm", "0"));
        Map<String, float[]> start = new HashMap<>();
        try (Objective objective = Objectives.create(config)) {
            objective.parameters().views().forEach((name, view) -> start.put(name, Tensors.toFloats(view)));
        }
        Course adapted = course(config);
        assertThat(adapted.losses.getFirst()).isEqualTo(full.losses.getFirst(), within(1e-6));
        float[] a = Objects.requireNonNull(start.get(LAYER + "lora_A.weight"));
        float[] weight = full.firstGradient(LAYER + "weight");
        int out = 16;
        int in = 32;
        float[] wanted = new float[out * 4];
        for (int o = 0; o < out; o++) {
            for (int r = 0; r < 4; r++) {
                double sum = 0;
                for (int i = 0; i < in; i++) {
                    sum += (double) weight[o * in + i] * a[r * in + i];
                }
                wanted[o * 4 + r] = (float) (3 * sum);
            }
        }
        assertThat(adapted.firstGradient(LAYER + "lora_B.weight")).containsExactly(wanted, within(1e-5f));
        assertThat(adapted.firstGradient(LAYER + "lora_A.weight")).containsOnly(0);
        for (float value : a) {
            assertThat(Math.abs(value)).isLessThanOrEqualTo((float) (1 / Math.sqrt(in)));
        }
    }

    @Test
    void theMergedModelIsTheTrainedOne() throws IOException {
        TrainConfig config = tiny.recipe("finetune", "plain", "merged", with(LORA, "schedule.max-steps", "6"));
        double[] trained = new double[1];
        Path saved = root.resolve("adapter");
        try (Objective objective = Objectives.create(config)) {
            new Trainer(config, objective, Checkpoints.NONE, step -> {}, () -> false).run(false);
            trained[0] = Engine.inference("a loss", () -> loss(objective));
            objective.save(saved);
        }
        assertThat(names(saved))
                .contains(
                        "adapter_config.json",
                        "adapter_model.safetensors",
                        "config.json",
                        "non_lora_trainables.bin",
                        "tokenizer.model");
        assertThat(Files.readString(saved.resolve("adapter_config.json")))
                .contains("\"lora_alpha\" : 12,", "\"model.layers.1.mlp.down_proj\"")
                .doesNotContain("vision_tower");
        assertIsAsPeftDocuments(saved);
        try (PeftAdapter adapter = PeftAdapter.open(saved);
                Checkpoint base = Checkpoint.open(tiny.language());
                MergedModel merged = MergedModel.open(saved, null, null)) {
            assertThat(adapter.lora().scale()).isEqualTo(3);
            assertThat(adapter.pairs()).hasSize(14);
            assertThat(adapter.others()).hasSize(4);
            PeftAdapter.Pair pair = Objects.requireNonNull(adapter.pairs().get(LAYER + "weight"));
            float[] a = pair.down().toFloats();
            float[] b = pair.up().toFloats();
            float[] wanted = base.tensor(LAYER + "weight").toFloats();
            float change = 0;
            for (int o = 0; o < 16; o++) {
                for (int i = 0; i < 32; i++) {
                    double sum = 0;
                    for (int r = 0; r < 4; r++) {
                        sum += (double) b[o * 4 + r] * a[r * 32 + i];
                    }
                    change = Math.max(change, (float) Math.abs(3 * sum));
                    wanted[o * 32 + i] += (float) (3 * sum);
                }
            }
            assertThat(change).isGreaterThan(1e-3f);
            CheckpointWriter.save(
                    root.resolve("whole"), new ModelKind.Llava(merged.config()), merged.tokenizer(), merged.tensors());
            try (Checkpoint whole = Checkpoint.open(root.resolve("whole")).requireComplete()) {
                assertThat(whole.tensor(LAYER + "weight").toFloats()).containsExactly(wanted, within(1e-6f));
                assertThat(whole.config()).isEqualTo(merged.config());
            }
        }
        TrainConfig whole = tiny.recipe(
                "finetune",
                "plain",
                "from-merged",
                Map.of(
                        "model.base", root.resolve("whole").toString(),
                        "model.vision-tower", "",
                        "model.language-model", ""));
        try (Objective objective = Objectives.create(whole)) {
            assertThat(Engine.inference("a loss", () -> loss(objective))).isEqualTo(trained[0], within(1e-5));
        }
        // An adapter's folder can be asked directly and is then the same model.
        try (LlavaModel direct = ModelLoader.load(saved, "cpu").model();
                LlavaModel stored =
                        ModelLoader.load(root.resolve("whole"), "cpu").model()) {
            assertThat(direct.weights().names())
                    .containsExactlyInAnyOrderElementsOf(stored.weights().names());
            for (String name : stored.weights().names()) {
                assertThat(Tensors.toFloats(direct.weights().get(name)))
                        .as(name)
                        .isEqualTo(Tensors.toFloats(stored.weights().get(name)));
            }
        }
    }

    /** Of the first micro-batch of the data. */
    private static double loss(Objective objective) {
        return Objects.requireNonNull(objective.microBatch(0, 0, 2))
                .get()
                .loss()
                .item_double();
    }

    @ParameterizedTest
    @CsvSource({"pretrain,", "finetune,", "finetune,0", "finetune,0.3"})
    void gradientCheckpointingChangesNotABit(String stage, String dropout) {
        Map<String, String> settings = dropout == null ? Map.of() : with(LORA, "lora.dropout", dropout);
        settings = with(settings, "schedule.max-steps", "4");
        Course kept = course(tiny.recipe(stage, "stem", "kept", settings));
        Course again = course(tiny.recipe(stage, "stem", "again", with(settings, "gradient-checkpointing", "true")));
        assertThat(again.losses).isEqualTo(kept.losses);
        for (int step = 0; step < 4; step++) {
            Map<String, float[]> gradients = again.gradients.get(step);
            kept.gradients
                    .get(step)
                    .forEach((name, wanted) ->
                            assertThat(gradients.get(name)).as(name).isEqualTo(wanted));
            assertThat(again.values.get(step)).isEqualTo(kept.values.get(step));
        }
    }

    @Test
    void dropoutDependsOnTheStepAndNothingElse() {
        Map<String, String> settings = with(LORA, "schedule.max-steps", "4", "lora.dropout", "0.5");
        Course first = course(tiny.recipe("finetune", "plain", "first", settings));
        Course second = course(tiny.recipe("finetune", "plain", "second", settings));
        Course without = course(tiny.recipe("finetune", "plain", "without", with(settings, "lora.dropout", "0")));
        assertThat(second.losses).isEqualTo(first.losses);
        assertThat(without.losses.getFirst()).isEqualTo(first.losses.getFirst(), within(1e-6));
        assertThat(without.losses.getLast()).isNotCloseTo(first.losses.getLast(), within(1e-6));
    }

    @Test
    void aRunThatIsResumedRepeatsAnUnbrokenOneAlsoWithCheckpointing() throws IOException {
        Map<String, String> settings = with(LORA, "lora.dropout", "0.3");
        TrainConfig unbroken = tiny.recipe("finetune", "plain", "unbroken", settings);
        assertThat(TrainingRun.run(unbroken, Objectives::create, false, step -> {}, () -> false))
                .isTrue();
        TrainConfig stopped = tiny.recipe("finetune", "plain", "stopped", settings);
        int[] last = {0};
        assertThat(TrainingRun.run(
                        stopped, Objectives::create, false, step -> last[0] = step.step(), () -> last[0] == 4))
                .isFalse();
        TrainConfig resumed =
                tiny.recipe("finetune", "plain", "stopped", with(settings, "gradient-checkpointing", "true"));
        assertThat(TrainingRun.run(resumed, Objectives::create, true, step -> {}, () -> false))
                .isTrue();
        for (String file : List.of("adapter_model.safetensors", "non_lora_trainables.bin", "adapter_config.json")) {
            assertThat(resumed.output().resolve("model").resolve(file))
                    .hasSameBinaryContentAs(unbroken.output().resolve("model").resolve(file));
        }
    }

    @Test
    void adaptersThatDoNotFitAreRefused() throws IOException {
        TrainConfig config = tiny.recipe("finetune", "plain", "refused", with(LORA, "schedule.max-steps", "1"));
        TrainingRun.run(config, Objectives::create, false, step -> {}, () -> false);
        Path adapter = config.output().resolve("model");
        assertThatThrownBy(() -> Checkpoint.open(adapter))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("merge-lora");
        assertThatThrownBy(() -> MergedModel.open(adapter, tiny.tower("plain"), null))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("the base of a LoRA adapter is a LLaVA or a LLaMA model");
        assertThatThrownBy(() -> MergedModel.open(tiny.language(), null, null))
                .hasMessageContaining("holds no adapter_config.json");

        Map<String, String> messages = new TreeMap<>();
        messages.put("\"r\" : 4|\"r\" : 5", "does not have the rank r = 5");
        messages.put("\"bias\" : \"none\"|\"bias\" : \"all\"", "bias is \"all\"");
        messages.put("\"peft_type\"|\"lora_bias\" : true, \"peft_type\"", "lora_bias is true");
        messages.put("\"modules_to_save\" : null|\"modules_to_save\" : [\"lm_head\"]", "modules_to_save");
        messages.put(tiny.language().toAbsolutePath() + "|lmsys/vicuna-7b-v1.5", "give its path with --base");
        Path file = adapter.resolve("adapter_config.json");
        String text = Files.readString(file);
        for (Map.Entry<String, String> change : messages.entrySet()) {
            String[] parts = change.getKey().split("\\|");
            assertThat(text).contains(parts[0]);
            Files.writeString(file, text.replace(parts[0], parts[1]));
            assertThatThrownBy(() -> MergedModel.open(adapter, null, null))
                    .isInstanceOfAny(CheckpointException.class, ConfigException.class)
                    .hasMessageContaining(change.getValue());
        }
    }

    private static List<String> names(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }

    /**
     * PEFT's documented format: keys are {@code base_model.model.}, the path of the linear layer, and lora_A of
     * {@code [rank, in]} or lora_B of {@code [out, rank]}, without the name of the adapter
     * (huggingface.co/docs/peft/developer_guides/checkpoint). Its {@code PeftConfig} knows every key of the settings.
     */
    private static void assertIsAsPeftDocuments(Path saved) {
        Set<String> keys = new TreeSet<>();
        for (int layer = 0; layer < 2; layer++) {
            for (String module : List.of("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")) {
                String block = module.length() == 6 ? "self_attn" : "mlp";
                for (String matrix : List.of("lora_A", "lora_B")) {
                    keys.add(
                            "base_model.model.model.layers.%d.%s.%s.%s.weight".formatted(layer, block, module, matrix));
                }
            }
        }
        try (WeightFile file = SafeTensors.open(saved.resolve("adapter_model.safetensors"))) {
            assertThat(file.tensors().keySet()).containsExactlyInAnyOrderElementsOf(keys);
            file.tensors()
                    .forEach((key, entry) -> assertThat(entry.shape()[key.contains("lora_A") ? 0 : 1])
                            .as(key)
                            .isEqualTo(4));
        }
        JsonNode settings = StrictJson.object(saved.resolve("adapter_config.json"));
        assertThat(settings.path("peft_type").asString()).isEqualTo("LORA");
        assertThat(settings.path("task_type").asString()).isEqualTo("CAUSAL_LM");
        assertThat(settings.path("r").asInt()).isEqualTo(4);
        assertThat(settings.path("bias").asString()).isEqualTo("none");
        assertThat(settings.path("target_modules").size()).isEqualTo(14);
        assertThat(settings.propertyNames())
                .isSubsetOf(
                        "peft_type",
                        "task_type",
                        "base_model_name_or_path",
                        "r",
                        "lora_alpha",
                        "lora_dropout",
                        "bias",
                        "fan_in_fan_out",
                        "inference_mode",
                        "init_lora_weights",
                        "use_rslora",
                        "use_dora",
                        "target_modules",
                        "modules_to_save");
    }
}
