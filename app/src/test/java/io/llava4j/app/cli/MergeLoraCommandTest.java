package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.app.serve.request.ServedModel;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.ModelParts;
import io.llava4j.checkpoint.adapter.PeftAdapterWriter;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.generate.LlavaPipeline;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.LoraConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An adapter that turns one layer's random matrix upside down, asked and merged. */
class MergeLoraCommandTest {
    private static final String LAYER = "model.layers.0.self_attn.q_proj.";

    @TempDir
    private static Path dir;

    private static Path model;
    private static Path adapter;

    @BeforeAll
    static void make() {
        model = TinyModel.write(dir);
        adapter = dir.resolve("adapter");
        try (Checkpoint base = Checkpoint.open(model)) {
            LlavaConfig config = base.config();
            // A is -1/2 of the identity, B the matrix: with alpha / r = 4 the sum is W - 2 W.
            float[] identity = new float[256];
            for (int i = 0; i < 16; i++) {
                identity[17 * i] = -0.5f;
            }
            float[] bias = new float[16];
            Arrays.fill(bias, 0.25f);
            PeftAdapterWriter.save(
                    adapter,
                    new PeftAdapterWriter.Adapter(config, new LoraConfig(16, 64, 0.05), model, null),
                    model,
                    List.of(
                            TensorSource.of(LAYER + LoraConfig.DOWN, identity, 16, 16),
                            TensorSource.of(
                                    LAYER + LoraConfig.UP,
                                    base.tensor(LAYER + "weight").toFloats(),
                                    16,
                                    16)),
                    List.of(TensorSource.of("model.mm_projector.2.bias", bias, 16)));
        }
    }

    /** A server lists the model with the weights that answer, not those of the adapter's file. */
    @Test
    void anAdapterIsServed() {
        ServedModel.Loaded whole =
                ServedModel.Loaded.open(model, "cpu", LlavaPipeline.Settings.DEFAULT, ModelParts.FOUND);
        ServedModel.Loaded adapted =
                ServedModel.Loaded.open(adapter, "cpu", LlavaPipeline.Settings.DEFAULT, ModelParts.FOUND);
        try (LlavaPipeline base = whole.pipeline();
                LlavaPipeline merged = adapted.pipeline()) {
            assertThat(adapted.summary().parameters())
                    .isEqualTo(whole.summary().parameters())
                    .isPositive();
            assertThat(adapted.summary().type()).isEqualTo(whole.summary().type());
            assertThat(adapted.summary().format()).isEqualTo("safetensors");
            assertThat(adapted.summary().files()).isNotEqualTo(whole.summary().files());
            assertThat(merged.model().config()).isEqualTo(base.model().config());
        }
    }

    @Test
    void theMergedModelIsTheBaseWithTheAdaptersSumAndWhatLearntInFull() throws Exception {
        Path merged = dir.resolve("merged");
        CliRun run = CliRun.of("merge-lora", adapter, "-o", merged);
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out().strip()).isEqualTo(merged.toString());
        try (Checkpoint base = Checkpoint.open(model);
                Checkpoint whole = Checkpoint.open(merged).requireComplete()) {
            assertThat(whole.config()).isEqualTo(base.config());
            List<String> changed = new ArrayList<>();
            base.tensors().forEach((name, tensor) -> {
                if (whole.tensor(name).data().mismatch(tensor.data()) != -1) {
                    changed.add(name);
                }
            });
            assertThat(changed).containsExactlyInAnyOrder(LAYER + "weight", "model.mm_projector.2.bias");
            float[] negated = base.tensor(LAYER + "weight").toFloats();
            for (int i = 0; i < negated.length; i++) {
                negated[i] = -negated[i];
            }
            assertThat(whole.tensor(LAYER + "weight").toFloats()).isEqualTo(negated);
            assertThat(whole.tensor("model.mm_projector.2.bias").toFloats()).containsOnly(0.25f);
        }
        Object[] question = {"generate", "--max-new-tokens", 8, "what is in the image?", "-m", adapter};
        String fromAdapter = CliRun.of(question).out();
        question[5] = merged;
        assertThat(CliRun.of(question).out()).isEqualTo(fromAdapter).isNotBlank();
    }

    @Test
    void whatDoesNotFitIsOneSentence() throws Exception {
        assertThat(CliRun.of("merge-lora", adapter).code()).isEqualTo(2);
        CliRun noAdapter = CliRun.of("merge-lora", model, "-o", dir.resolve("never"));
        assertThat(noAdapter.code()).isEqualTo(1);
        assertThat(noAdapter.err().strip())
                .contains("holds no adapter_config.json")
                .hasLineCount(1);
        CliRun noBase = CliRun.of("merge-lora", adapter, "--base", dir.resolve("nowhere"), "-o", dir.resolve("never"));
        assertThat(noBase.code()).isEqualTo(1);
        assertThat(noBase.err().strip()).contains("nowhere does not exist").hasLineCount(1);
        CliRun there = CliRun.of("merge-lora", adapter, "-o", model);
        assertThat(there.code()).isEqualTo(1);
        assertThat(there.err()).contains("exists already");
        assertThat(Files.exists(dir.resolve("never"))).isFalse();
    }
}
