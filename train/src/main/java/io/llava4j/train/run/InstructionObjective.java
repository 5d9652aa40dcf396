package io.llava4j.train.run;

import io.llava4j.checkpoint.adapter.PeftAdapterWriter;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.ModelInput;
import io.llava4j.tensor.format.DType;
import io.llava4j.text.Prompt;
import io.llava4j.train.data.Batch;
import io.llava4j.train.data.Example;
import io.llava4j.train.data.SkippedRecord;
import io.llava4j.train.recipe.Stage;
import io.llava4j.train.recipe.TrainConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Both stages of LLaVA-1.5: next-token loss on the supervised text of conversations about images (paper, section 3).
 * Which parts learn, template, batches and rates come from the recipe.
 */
final class InstructionObjective implements Objective {
    private final TrainConfig config;
    private final LlavaModel model;
    private final TrainableParameters parameters;
    private final ExampleSource data;
    private final Path tokenizer;

    InstructionObjective(
            TrainConfig config, LlavaModel model, TrainableParameters parameters, ExampleSource data, Path tokenizer) {
        this.config = config;
        this.model = model;
        this.parameters = parameters;
        this.data = data;
        this.tokenizer = tokenizer;
    }

    @Override
    public int stepsPerEpoch() {
        return Math.ceilDiv(data.size(), config.samplesPerStep());
    }

    @Override
    public TrainableParameters parameters() {
        return parameters;
    }

    @Override
    public @Nullable Supplier<Loss> microBatch(int step, int micro, int of) {
        Batch batch = data.batch(step, micro);
        if (batch == null || batch.examples().isEmpty()) {
            return null;
        }
        long seed = config.seed() + (long) step * of + micro;
        return () -> loss(batch.examples(), seed);
    }

    /** Loss of a micro-batch; text-only samples skip the tower, which changes no gradient (docs/reference/training.md#text-only-samples). */
    private Loss loss(List<Example> examples, long seed) {
        List<int[]> ids = new ArrayList<>();
        List<int[]> labels = new ArrayList<>();
        List<String> names = new ArrayList<>();
        List<float[]> images = new ArrayList<>();
        for (Example example : examples) {
            ids.add(example.prompt().ids());
            labels.add(example.prompt().labels());
            names.add(example.record().id());
            images.addAll(example.pixels());
        }
        LlavaModel.TrainingOutput output =
                model.train(ModelInput.of(ids, labels, images), config.gradientCheckpointing(), seed);
        LlavaModel.Spliced spliced = output.sequences();
        return new Loss(
                SequenceLoss.of(model.languageModel(), output.pass().hidden(), spliced.labels()),
                names,
                Arrays.stream(spliced.lengths()).sum(),
                SequenceLoss.supervised(spliced.labels()),
                cut(model, examples, spliced),
                output.pass()::backward);
    }

    /** By the prompts' own limit, then by the splice. */
    private static Truncation cut(LlavaModel model, List<Example> examples, LlavaModel.Spliced spliced) {
        Truncation cut = Truncation.NONE;
        for (int i = 0; i < examples.size(); i++) {
            Prompt prompt = examples.get(i).prompt();
            cut = cut.plus(
                    prompt.truncatedTokens() + model.config().splicedLength(prompt.ids()) - spliced.lengths()[i]);
        }
        return cut;
    }

    @Override
    public List<SkippedRecord> skipped() {
        return data.skipped();
    }

    @Override
    public void save(Path directory) {
        if (config.stage() == Stage.ALIGN) {
            ModelFiles.saveProjector(directory, model.weights());
        } else if (config.lora() != null) {
            TrainConfig.ModelSpec parts = config.model();
            Path base = parts.base() != null ? parts.base() : Objects.requireNonNull(parts.languageModel());
            ModelFiles.saveAdapter(
                    directory,
                    new PeftAdapterWriter.Adapter(model.config(), config.lora().toConfig(), base, parts.visionTower()),
                    model.weights(),
                    tokenizer);
        } else {
            ModelFiles.save(directory, new ModelKind.Llava(model.config()), model.weights(), tokenizer, DType.F32);
        }
    }

    @Override
    public void close() {
        data.close();
        parameters.close();
        model.close();
    }
}
