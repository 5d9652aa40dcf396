package io.llava4j.nano.pretrain;

import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.image.AspectMode;
import io.llava4j.image.ImageProcessor;
import io.llava4j.model.ClipVisionTower;
import io.llava4j.model.Initializer;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.nano.world.Drawings;
import io.llava4j.nano.world.SceneOptions;
import io.llava4j.nano.world.Sprites;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.LinearOperator;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.tensor.format.DType;
import io.llava4j.train.run.ModelFiles;
import io.llava4j.train.run.Objective;
import io.llava4j.train.run.TrainableParameters;
import io.llava4j.train.run.input.ModelInputs;
import io.llava4j.train.run.input.RunInputs;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;

/**
 * Contrastive pre-training of a vision tower on images and phrases, CLIP's loss (Radford et al. 2021) per patch: LLaVA
 * uses patch features, so each of them is compared with the phrases of all things, and the softmax must favour those that
 * are true of its patch.
 */
public final class ContrastiveObjective implements Objective {
    /** Weight of a patch that shows background: such patches are many and easy. */
    private static final float BACKGROUND_WEIGHT = 0.2f;

    private static final int TEXT_WIDTH = 128;

    /** Longest phrase in words. */
    private static final int MAX_WORDS = 8;

    private static final String HEAD = "contrastive.";

    /** Rendered images with the phrases that are true of each. */
    private record Batch(
            float[] pixels,
            int count,
            int edge,
            List<String> phrases,
            float[] targets,
            float weight,
            List<String> ids) {}

    private final TowerConfig config;
    private final TowerConfig.Scenes data;
    private final VisionConfig vision;
    private final Weights weights;
    private final RunInputs inputs;
    private final TrainableParameters parameters;
    private final LinearOperator projection;
    private final ClipVisionTower tower;
    private final ClipTextTower textTower;
    private final Sprites sprites = new Sprites(Drawings.load());
    private final Map<TowerConfig.Part, NanoPairs> pairs = new LinkedHashMap<>();
    private final Map<String, Integer> vocabulary = new LinkedHashMap<>();
    private final Prefetcher<Batch> prefetcher = new Prefetcher<>(this::prepare);

    ContrastiveObjective(TowerConfig config, VisionConfig vision, Weights weights) {
        this.config = config;
        this.data = config.data().nano();
        this.vision = vision;
        this.weights = weights;
        this.inputs = ModelInputs.of(weights);
        // The text tower is dropped after training, so the words of the closed list of phrases are vocabulary enough.
        for (String phrase : pairsOf(data.phaseAt(0)).phrases()) {
            for (String word : phrase.split(" ")) {
                vocabulary.putIfAbsent(word, vocabulary.size());
            }
        }
        ClipTextTower.Shape text = new ClipTextTower.Shape(TEXT_WIDTH, 2, 4, vocabulary.size(), MAX_WORDS);
        Initializer initializer = new Initializer(config.seed(), config.device());
        text.tensors().forEach((name, shape) -> initializer.fill(weights, name, shape));
        initializer.fill(weights, HEAD + "vision_projection.weight", text.hiddenSize(), vision.hiddenSize());
        // CLIP's starting temperature
        Tensor temperature = Tensors.of(new float[] {(float) Math.log(1 / 0.07)}, 1);
        weights.put(HEAD + "logit_scale", temperature.to(Engine.device(config.device()), Tensors.FLOAT));
        this.parameters = new TrainableParameters(weights, name -> true);
        this.projection = weights.linear(HEAD + "vision_projection.");
        this.tower = new ClipVisionTower(vision, weights);
        this.textTower = new ClipTextTower(text, weights);
    }

    @Override
    public int stepsPerEpoch() {
        return Math.ceilDiv(data.count(), config.samplesPerStep());
    }

    @Override
    public TrainableParameters parameters() {
        return parameters;
    }

    @Override
    public RunInputs inputs() {
        return inputs;
    }

    @Override
    public Supplier<Loss> microBatch(int step, int micro, int of) {
        Batch batch = prefetcher.get(step * of + micro);
        return () -> loss(batch);
    }

    private Loss loss(Batch batch) {
        Tensor scale = weights.get(HEAD + "logit_scale").exp();
        Tensor pixels = Tensors.of(batch.pixels(), batch.count(), 3, batch.edge(), batch.edge())
                .to(scale.device(), Tensors.FLOAT);
        Tensor features = unit(projection.apply(tower.patchFeatures(pixels)));
        Tensor phrases =
                unit(textTower.embed(batch.phrases().stream().map(this::encode).toList()));
        // [images, patches, phrases]
        Tensor logits = features.matmul(phrases.t()).mul(scale);
        Tensor targets = Tensors.of(
                        batch.targets(),
                        batch.count(),
                        features.size(1),
                        batch.phrases().size())
                .to(scale.device(), Tensors.FLOAT);
        Tensor loss = logits.log_softmax(2).mul(targets).sum().mul(Tensors.scalar(-1 / batch.weight()));
        long positions = (long) batch.count() * features.size(1);
        return new Loss(loss, batch.ids(), positions, positions);
    }

    private static Tensor unit(Tensor vectors) {
        return vectors.div(vectors.square()
                .sum(new long[] {-1}, true, new ScalarTypeOptional())
                .add(Tensors.scalar(1e-6))
                .sqrt());
    }

    private int[] encode(String phrase) {
        String[] words = phrase.split(" ");
        int[] ids = new int[words.length];
        Arrays.setAll(ids, i -> vocabulary.getOrDefault(words[i], 0));
        return ids;
    }

    private Batch prepare(int index) {
        int perDevice = config.batch().perDevice();
        TowerConfig.Part phase = data.phaseAt(index / config.batch().accumulation());
        NanoPairs source = pairsOf(phase);
        int edge = phase.imageSize();
        int grid = edge / vision.patchSize();
        Map<String, Integer> columns = new LinkedHashMap<>();
        source.plainPhrases().forEach(phrase -> columns.put(phrase, columns.size()));
        int plain = columns.size();
        List<List<String>> patches = new ArrayList<>();
        List<String> ids = new ArrayList<>();
        ImageProcessor processor = new ImageProcessor(edge, AspectMode.CROP);
        float[] pixels = new float[perDevice * 3 * edge * edge];
        for (int i = 0; i < perDevice; i++) {
            long number = (long) index * perDevice + i;
            float[] one = processor.process(source.pair(number).image());
            System.arraycopy(one, 0, pixels, i * one.length, one.length);
            patches.addAll(source.cells(number, grid));
            ids.add("pair " + number);
        }
        // Dyed things that occur in the batch join the plain names of all things and words.
        patches.forEach(patch -> patch.forEach(phrase -> columns.putIfAbsent(phrase, columns.size())));
        float[] targets = new float[patches.size() * columns.size()];
        float weight = 0;
        for (int patch = 0; patch < patches.size(); patch++) {
            List<String> phrases = patches.get(patch);
            float share = phrases.getFirst().endsWith("background") ? BACKGROUND_WEIGHT : 1;
            for (String phrase : phrases) {
                targets[patch * columns.size() + columns.getOrDefault(phrase, plain)] = share / phrases.size();
            }
            weight += share;
        }
        return new Batch(pixels, perDevice, edge, List.copyOf(columns.keySet()), targets, weight, ids);
    }

    private NanoPairs pairsOf(TowerConfig.Part phase) {
        return pairs.computeIfAbsent(phase, p -> {
            List<String> sets = sprites.drawings().trainingSets();
            SceneOptions options = p.maxObjects() == 1
                    ? SceneOptions.singles(sets)
                    : SceneOptions.scenes(sets).withObjects(p.minObjects(), p.maxObjects());
            Double signs = p.signs();
            return new NanoPairs(
                    sprites, signs == null ? options : options.withSigns(signs), p.imageSize(), data.seed());
        });
    }

    @Override
    public void save(Path directory) {
        ModelFiles.save(directory, new ModelKind.Clip(vision), weights, null, DType.F16);
    }

    @Override
    public void close() {
        prefetcher.close();
        parameters.close();
        weights.close();
    }
}
