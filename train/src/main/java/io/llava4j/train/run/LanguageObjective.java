package io.llava4j.train.run;

import io.llava4j.ConfigException;
import io.llava4j.checkpoint.DType;
import io.llava4j.checkpoint.ModelKind;
import io.llava4j.model.LlamaModel;
import io.llava4j.model.TextConfig;
import io.llava4j.model.TrainingPass;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.text.ConversationTemplate;
import io.llava4j.text.Prompt;
import io.llava4j.text.PromptBuilder;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.text.Turn;
import io.llava4j.train.nano.Drawings;
import io.llava4j.train.nano.NanoText;
import io.llava4j.train.nano.SceneOptions;
import io.llava4j.train.nano.Sprites;
import io.llava4j.train.recipe.TrainConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Text-only pre-training of a small language model on texts about described scenes, kind after kind by a curriculum. */
final class LanguageObjective implements Objective {
    private record Sample(String id, Prompt prompt) {}

    private record Batch(List<Prompt> prompts, List<String> ids) {}

    private final TrainConfig config;
    private final TrainConfig.NanoSpec data;
    private final TextConfig text;
    private final Path tokenizer;
    private final PromptBuilder prompts;
    private final Sprites sprites = new Sprites(Drawings.load());
    private final Map<TrainConfig.Phase, NanoText> corpora = new ConcurrentHashMap<>();
    private final Weights weights;
    private final TrainableParameters parameters;
    private final LlamaModel decoder;
    private final Ahead<List<Batch>> ahead = new Ahead<>(this::prepare);
    private List<Batch> prepared = List.of();
    private int preparedStep = -1;

    LanguageObjective(TrainConfig config, TextConfig text, Weights weights, Path tokenizer) {
        TrainConfig.NanoSpec nano = config.data().nano();
        if (nano == null) {
            throw new ConfigException("data.nano is missing; stage language takes its text from the nano world");
        }
        this.config = config;
        this.data = nano;
        this.text = text;
        this.tokenizer = tokenizer;
        this.prompts = new PromptBuilder(SentencePieceTokenizer.load(tokenizer), ConversationTemplate.V1);
        this.weights = weights;
        this.parameters = new TrainableParameters(weights, name -> true);
        this.decoder = new LlamaModel(text, weights);
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
    public Supplier<Loss> microBatch(int step, int micro, int of) {
        if (micro == 0 || step != preparedStep) {
            prepared = ahead.get(step);
            preparedStep = step;
        }
        Batch batch = prepared.get(micro);
        return () -> loss(batch);
    }

    private Loss loss(Batch batch) {
        int longest = batch.prompts().stream()
                .mapToInt(prompt -> prompt.ids().length)
                .max()
                .orElse(0);
        long[] ids = new long[batch.prompts().size() * longest];
        int[][] labels = new int[batch.prompts().size()][longest];
        for (int row = 0; row < labels.length; row++) {
            Prompt prompt = batch.prompts().get(row);
            Arrays.fill(labels[row], Prompt.IGNORE_INDEX);
            for (int t = 0; t < prompt.ids().length; t++) {
                ids[row * longest + t] = prompt.ids()[t];
                labels[row][t] = prompt.labels()[t];
            }
        }
        Tensor embeds = decoder.embed(
                Tensors.of(ids, labels.length, longest).to(decoder.like().device(), torch.ScalarType.Long));
        TrainingPass pass = decoder.train(embeds, config.gradientCheckpointing(), config.seed());
        Cut cut = Cut.NONE;
        for (Prompt prompt : batch.prompts()) {
            cut = cut.plus(prompt.cutTokens());
        }
        return new Loss(
                SequenceLoss.of(decoder, pass.hidden(), labels),
                batch.ids(),
                (long) labels.length * longest,
                SequenceLoss.supervised(labels),
                cut,
                pass::backward);
    }

    /** The micro-batches of a step; samples of like length share one, as padding is computed for nothing. */
    private List<Batch> prepare(int step) {
        List<Sample> samples = new ArrayList<>();
        for (int i = 0; i < config.samplesPerStep(); i++) {
            long number = (long) step * config.samplesPerStep() + i;
            samples.add(new Sample("text " + number, prompt(data.phaseAt(step), number)));
        }
        samples.sort(Comparator.comparingInt(sample -> sample.prompt().length()));
        List<Batch> batches = new ArrayList<>();
        int perDevice = config.batch().perDevice();
        for (int from = 0; from < samples.size(); from += perDevice) {
            List<Sample> part = samples.subList(from, from + perDevice);
            batches.add(new Batch(
                    part.stream().map(Sample::prompt).toList(),
                    part.stream().map(Sample::id).toList()));
        }
        return batches;
    }

    private Prompt prompt(TrainConfig.Phase phase, long number) {
        NanoText corpus = corpora.computeIfAbsent(
                phase,
                p -> new NanoText(
                        sprites,
                        SceneOptions.scenes(sprites.drawings().trainingSets())
                                .withObjects(p.minObjects(), p.maxObjects()),
                        data.seed()));
        TrainConfig.TextShares shares = Objects.requireNonNullElse(phase.text(), TrainConfig.TextShares.DEFAULT);
        double at = new SplittableRandom(data.seed() + number * 0x9E3779B97F4A7C15L).nextDouble(shares.total());
        if ((at -= shares.repetitions()) < 0) {
            return plain(corpus.repetition(number));
        }
        if ((at -= shares.rollCalls()) < 0) {
            return plain(corpus.rollCall(number));
        }
        if ((at -= shares.captionPairs()) < 0) {
            return plain(corpus.captionPair(number));
        }
        return chat(at - shares.drills() < 0 ? corpus.drill(number) : corpus.conversation(number));
    }

    private Prompt chat(List<Turn> turns) {
        return prompts.training(turns, false, config.data().maxLength());
    }

    /** Stage 1's form: no system prompt and no roles (spec/conversation 3). No piece of the vocabulary crosses a blank. */
    private Prompt plain(List<NanoText.Part> parts) {
        SentencePieceTokenizer tokens = prompts.tokenizer();
        int[] ids = {tokens.bosId()};
        int[] labels = {Prompt.IGNORE_INDEX};
        for (NanoText.Part part : parts) {
            int[] own = tokens.encode(part.text());
            int length = ids.length;
            ids = Arrays.copyOf(ids, length + own.length);
            System.arraycopy(own, 0, ids, length, own.length);
            labels = Arrays.copyOf(labels, length + own.length);
            if (part.supervised()) {
                System.arraycopy(own, 0, labels, length, own.length);
            } else {
                Arrays.fill(labels, length, labels.length, Prompt.IGNORE_INDEX);
            }
        }
        return new Prompt(ids, labels).truncated(config.data().maxLength());
    }

    @Override
    public void save(Path directory) {
        ModelFiles.save(directory, new ModelKind.Llama(text), weights, tokenizer, DType.F16);
    }

    @Override
    public void close() {
        ahead.close();
        decoder.close();
        parameters.close();
        weights.close();
    }
}
