package io.llava4j.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.ConfigException;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.CheckpointWriter;
import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.model.Initializer;
import io.llava4j.model.config.LoraConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.tensor.format.BlockFormat;
import io.llava4j.tensor.format.TensorCast;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.recipe.TrainConfig;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Adapters on a base of 4 or 8 bits train as those on the decoded base do, to the last bit. */
class QloraTest {
    @TempDir
    private static Path root;

    private static TinyRun tiny;

    @BeforeAll
    static void write() {
        tiny = new TinyRun(root);
        write("exact", null);
        write("decoded-8", BlockFormat.Q8_0);
        write("decoded-4", BlockFormat.Q4_0);
    }

    /** A language model whose rows blocks of 32 divide; its linear layers have gone through a format. */
    private static void write(String name, @Nullable BlockFormat through) {
        TextConfig like;
        try (Checkpoint small = Checkpoint.open(tiny.language())) {
            like = ModelAssembly.textOf(tiny.language(), small);
        }
        TextConfig text =
                new TextConfig(32, 64, 2, 4, 2, like.vocabSize(), TinyRun.MAX_LENGTH, 1e-5, 10000, false, 1, 2, 0);
        List<TensorSource> tensors = new ArrayList<>();
        Engine.scope("a language model", () -> {
            try (Weights weights = new Weights()) {
                Initializer initializer = new Initializer(11);
                ExpectedTensors.of(new ModelKind.Llama(text)).shapes().forEach((tensor, shape) -> {
                    initializer.fill(weights, tensor, shape);
                    float[] values = Tensors.toFloats(weights.get(tensor));
                    boolean linear = LoraConfig.isTarget(LoraConfig.ALL_LINEAR, tensor);
                    tensors.add(TensorSource.of(
                            tensor, through == null || !linear ? values : decoded(values, through), shape));
                });
            }
            return null;
        });
        CheckpointWriter.save(root.resolve(name), new ModelKind.Llama(text), root.resolve("vocabulary"), tensors);
    }

    private static float[] decoded(float[] values, BlockFormat format) {
        MemorySegment blocks = MemorySegment.ofArray(new byte[(int) format.bytes(values.length)]);
        float[] result = new float[values.length];
        TensorCast.cast(BlockFormat.F32, MemorySegment.ofArray(values), values.length, format, blocks);
        TensorCast.decode(format, blocks, 0, values.length, result);
        return result;
    }

    private static Map<String, String> settings(String language, int bits, String precision) {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("model.language-model", root.resolve(language).toString());
        settings.put("lora.r", "4");
        settings.put("lora.bits", "" + bits);
        settings.put("engine.precision", precision);
        settings.put("gradient-checkpointing", "true");
        settings.put("schedule.max-steps", "4");
        return settings;
    }

    private static Course run(String name, Map<String, String> settings) {
        TrainConfig config = tiny.recipe("finetune", "plain", name, settings);
        Course course = new Course();
        try (Objective objective = Objectives.create(config)) {
            assertThat(objective.parameters().leaves().keySet())
                    .allMatch(tensor -> LoraConfig.isAdapter(tensor) || tensor.startsWith("model.mm_projector."));
            new Trainer(config, objective, Checkpoints.NONE, course, () -> false).run(false);
        }
        return course;
    }

    @ParameterizedTest
    @CsvSource({"4,fp32", "8,fp32", "4,bf16", "8,bf16"})
    void gradientsAreThoseOfTheDecodedWeights(int bits, String precision) {
        Course blocks = run("blocks-%d-%s".formatted(bits, precision), settings("exact", bits, precision));
        Course decoded = run("dense-%d-%s".formatted(bits, precision), settings("decoded-" + bits, 16, precision));
        Course exact = run("exact-%d-%s".formatted(bits, precision), settings("exact", 16, precision));
        assertThat(blocks.losses()).isEqualTo(decoded.losses()).isNotEqualTo(exact.losses());
        for (int step = 0; step < 4; step++) {
            assertThat(blocks.gradients().get(step))
                    .containsExactly(decoded.gradients().get(step));
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = BlockFormat.class,
            names = {"Q4_0", "Q8_0"})
    void theWeightsTakeTheBytesOfTheirBlocks(BlockFormat format) {
        int bits = format == BlockFormat.Q4_0 ? 4 : 8;
        TrainConfig config = tiny.recipe("finetune", "plain", "bytes-" + bits, settings("exact", bits, "fp32"));
        try (var model = Objectives.start(config).model()) {
            Tensor weight = model.weights().get("model.layers.1.mlp.up_proj.weight");
            assertThat(Tensors.shape(weight)).containsExactly(64, 1, format.blockBytes());
            assertThat(weight.element_size()).isOne();
        }
    }

    @Test
    void needsGradientCheckpointing() {
        Map<String, String> settings = settings("exact", 4, "fp32");
        settings.put("gradient-checkpointing", "false");
        assertThatThrownBy(() -> tiny.recipe("finetune", "plain", "whole-graph", settings))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("lora.bits 4 decodes the weights of one block at a time")
                .hasMessageContaining("gradient-checkpointing true");
    }

    @Test
    void rowsThatBlocksDoNotDivideAreRefused() {
        Map<String, String> settings = settings("exact", 4, "fp32");
        settings.put("model.language-model", tiny.language().toString());
        TrainConfig config = tiny.recipe("finetune", "plain", "odd", settings);
        assertThatThrownBy(() -> Objectives.create(config))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("model.layers.0")
                .hasMessageContaining("blocks of 32 do not divide")
                .hasMessageContaining("lora.bits 16");
    }
}
