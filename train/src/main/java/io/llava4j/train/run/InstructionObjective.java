package io.llava4j.train.run;

import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.ModelInput;
import io.llava4j.model.PassListener;
import io.llava4j.tensor.collective.ProcessGroup;
import io.llava4j.text.Prompt;
import io.llava4j.train.data.Batch;
import io.llava4j.train.data.Example;
import io.llava4j.train.data.ImageInput;
import io.llava4j.train.data.LlavaData;
import io.llava4j.train.data.SkippedRecord;
import io.llava4j.train.run.feature.CachedTower;
import io.llava4j.train.run.feature.ImageFeatures;
import io.llava4j.train.run.input.RunInputs;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Both stages of LLaVA-1.5: next-token loss on the supervised text of conversations about images (paper, section 3).
 * Trainable parts, template, batches and rates come from the recipe.
 */
public final class InstructionObjective implements Objective {
    /**
     * What the objective itself needs of a recipe.
     *
     * @param group processes that train together
     * @param samplesPerStep samples of an optimiser step on all processes
     * @param seed of the adapters' dropout
     * @param gradientCheckpointing whether the backward pass recomputes the language model's blocks
     * @param lossInOneGraph whether the loss keeps the logits of a whole micro-batch, as micro-batches that are computed at
     *     once need it; otherwise its backward pass computes them again where they are large
     * @param packing whether the sequences of a micro-batch follow each other instead of being padded to the longest
     * @param operations of the model's passes, without those that gradient checkpointing repeats
     * @param notes on the model, for the user
     * @param modelInputs fingerprints of the model as it is before the first step
     */
    public record Settings(
            ProcessGroup group,
            int samplesPerStep,
            long seed,
            boolean gradientCheckpointing,
            boolean lossInOneGraph,
            boolean packing,
            Operations operations,
            List<String> notes,
            Supplier<RunInputs> modelInputs) {}

    private final Settings settings;
    private final LlavaModel model;
    private final TrainableParameters parameters;
    private final @Nullable CachedTower tower;
    private final ExampleSource data;
    private final @Nullable HeldOut heldOut;
    private final Consumer<Path> output;

    /**
     * An objective on a model; closes model, parameters and data with itself.
     *
     * @param settings what the recipe says
     * @param model built on the weights that {@code parameters} has moved
     * @param parameters trainable parameters
     * @param tower gives image features that are kept from run to run; null where the model's tower computes them
     * @param data the samples
     * @param heldOut records that are not trained on; null where there are none
     * @param output writes what was trained as a new folder
     */
    public InstructionObjective(
            Settings settings,
            LlavaModel model,
            TrainableParameters parameters,
            @Nullable CachedTower tower,
            ExampleSource data,
            @Nullable HeldOut heldOut,
            Consumer<Path> output) {
        this.settings = settings;
        this.model = model;
        this.parameters = parameters;
        this.tower = tower;
        this.data = data;
        this.heldOut = heldOut;
        this.output = output;
    }

    @Override
    public int stepsPerEpoch() {
        return Math.ceilDiv(data.size(), settings.samplesPerStep());
    }

    @Override
    public ProcessGroup group() {
        return settings.group();
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
        ProcessGroup group = settings.group();
        long seed = settings.seed()
                + ((long) step * of + micro) * group.size()
                + group.rank().rank();
        return () -> loss(batch.examples(), seed);
    }

    /** Loss of a micro-batch; text-only samples skip the tower, which changes no gradient (docs/reference/training.md#text-only-samples). */
    private Loss loss(List<Example> examples, long seed) {
        List<int[]> ids = new ArrayList<>();
        List<int[]> labels = new ArrayList<>();
        List<String> names = new ArrayList<>();
        List<ImageInput> images = new ArrayList<>();
        for (Example example : examples) {
            ids.add(example.prompt().ids());
            labels.add(example.prompt().labels());
            names.add(example.record().id());
            images.addAll(example.images());
        }
        List<PreparedImage> prepared = images.stream().map(ImageInput::image).toList();
        LlavaModel.TrainingOutput output = model.train(
                ModelInput.of(ids, labels, prepared),
                () -> tower == null ? model.encode(prepared) : tower.tokens(model, images),
                new LlavaModel.TrainingMode(
                        settings.gradientCheckpointing(), settings.packing(), seed, parameters.listener()));
        LlavaModel.Spliced spliced = output.sequences();
        Tensor hidden = output.pass().hidden();
        PassListener listener = parameters.listener();
        int head = model.config().text().layers();
        listener.before(head);
        listener.beforeBackward(head);
        SequenceLoss.Losses losses = settings.lossInOneGraph()
                ? SequenceLoss.inOneGraph(model.llama(), hidden, spliced.labels())
                : SequenceLoss.inChunks(model.llama(), hidden, spliced.labels());
        ImageFeatures features = tower == null ? new ImageFeatures(images.size(), 0, 0) : tower.count(images);
        int supervised = SequenceLoss.supervised(spliced.labels());
        List<String> sources =
                examples.stream().map(example -> example.record().source()).toList();
        return new Loss(
                losses.mean(),
                names,
                Arrays.stream(spliced.lengths()).sum(),
                supervised,
                truncation(model, examples, spliced),
                sources.stream().allMatch(String::isEmpty)
                        ? Map::of
                        : () -> SourceLoss.of(losses.ofTokens().get(), spliced.labels(), sources),
                features,
                settings.operations().of(spliced.lengths(), supervised)
                        + views(images) * settings.operations().projectorPerView()
                        + views(images.stream()
                                        .filter(image -> image.features() == null)
                                        .toList())
                                * settings.operations().towerPerView(),
                () -> {
                    losses.remainingBackward().run();
                    listener.afterBackward(head);
                    output.pass().backward();
                });
    }

    private static long views(List<ImageInput> images) {
        return images.stream().mapToLong(image -> image.image().order().views()).sum();
    }

    /** By the prompts' own limit, then by the splice. */
    private static Truncation truncation(LlavaModel model, List<Example> examples, LlavaModel.Spliced spliced) {
        Truncation sum = Truncation.NONE;
        for (int i = 0; i < examples.size(); i++) {
            Prompt prompt = examples.get(i).prompt();
            int length =
                    model.config().splicedLength(prompt.ids(), examples.get(i).prepared());
            sum = sum.plus(prompt.truncatedTokens() + length - spliced.lengths()[i]);
        }
        return sum;
    }

    @Override
    public List<SkippedRecord> skipped() {
        return data.skipped();
    }

    @Override
    public void skippedElsewhere(List<SkippedRecord> records) {
        data.skippedElsewhere(records);
    }

    @Override
    public List<LlavaData.Part> dataSets() {
        return data.dataSets();
    }

    @Override
    public @Nullable HeldOut heldOut() {
        return heldOut;
    }

    @Override
    public RunInputs inputs() {
        RunInputs inputs = data.inputs().and(settings.modelInputs().get());
        return heldOut == null ? inputs : inputs.and(heldOut.inputs());
    }

    @Override
    public List<String> notes() {
        List<String> all = new ArrayList<>(settings.notes());
        all.addAll(data.notes());
        if (heldOut != null) {
            all.addAll(heldOut.notes());
        }
        return all;
    }

    @Override
    public void save(Path directory) {
        output.accept(directory);
    }

    @Override
    public void close() {
        data.close();
        if (heldOut != null) {
            heldOut.close();
        }
        parameters.close();
        model.close();
    }
}
