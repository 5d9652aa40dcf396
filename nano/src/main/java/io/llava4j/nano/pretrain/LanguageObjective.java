package io.llava4j.nano.pretrain;

import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.model.LlamaModel;
import io.llava4j.model.TrainingPass;
import io.llava4j.model.config.TextConfig;
import io.llava4j.nano.world.Drawings;
import io.llava4j.nano.world.SceneOptions;
import io.llava4j.nano.world.Sprites;
import io.llava4j.tensor.Weights;
import io.llava4j.tensor.format.DType;
import io.llava4j.text.ConversationTemplate;
import io.llava4j.text.Prompt;
import io.llava4j.text.PromptBuilder;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.train.run.ModelFiles;
import io.llava4j.train.run.Objective;
import io.llava4j.train.run.SequenceLoss;
import io.llava4j.train.run.TrainableParameters;
import io.llava4j.train.run.feature.ImageFeatures;
import io.llava4j.train.run.input.ModelInputs;
import io.llava4j.train.run.input.RunInputs;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/** Pre-training of a small language model on texts about scenes in words; a curriculum changes the kinds of text. */
public final class LanguageObjective implements Objective {
    private final LanguageConfig config;
    private final LanguageConfig.Texts data;
    private final TextConfig text;
    private final Path tokenizer;
    private final PromptBuilder prompts;
    private final Sprites sprites = new Sprites(Drawings.load());
    private final Map<LanguageConfig.Part, NanoText> corpora = new ConcurrentHashMap<>();
    private final Weights weights;
    private final TrainableParameters parameters;
    private final LlamaModel languageModel;
    private final Prefetcher<List<SyntheticBatch>> prefetcher = new Prefetcher<>(this::prepare);
    private List<SyntheticBatch> prepared = List.of();
    private int preparedStep = -1;

    LanguageObjective(LanguageConfig config, TextConfig text, Weights weights, Path tokenizer) {
        this.config = config;
        this.data = config.data().nano();
        this.text = text;
        this.tokenizer = tokenizer;
        this.prompts = new PromptBuilder(SentencePieceTokenizer.load(tokenizer), ConversationTemplate.V1);
        this.weights = weights;
        this.parameters = new TrainableParameters(weights, name -> true);
        this.languageModel = new LlamaModel(text, weights);
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
        return ModelInputs.of(weights, tokenizer);
    }

    @Override
    public Supplier<Loss> microBatch(int step, int micro, int of) {
        if (micro == 0 || step != preparedStep) {
            prepared = prefetcher.get(step);
            preparedStep = step;
        }
        SyntheticBatch batch = prepared.get(micro);
        return () -> loss(batch);
    }

    private Loss loss(SyntheticBatch batch) {
        TrainingPass pass =
                languageModel.train(batch.embeds(languageModel), config.gradientCheckpointing(), config.seed());
        int[][] labels = batch.labels();
        return new Loss(
                SequenceLoss.of(languageModel, pass.hidden(), labels),
                batch.ids(),
                (long) labels.length * labels[0].length,
                SequenceLoss.supervised(labels),
                batch.truncation(),
                Map::of,
                ImageFeatures.NONE,
                0,
                pass::backward);
    }

    /** The micro-batches of a step; samples of similar length share one, which saves padding. */
    private List<SyntheticBatch> prepare(int step) {
        List<SyntheticBatch.Sample> samples = new ArrayList<>();
        for (int i = 0; i < config.samplesPerStep(); i++) {
            samples.add(sample(data.phaseAt(step), (long) step * config.samplesPerStep() + i));
        }
        samples.sort(Comparator.comparingInt(SyntheticBatch.Sample::length));
        List<SyntheticBatch> batches = new ArrayList<>();
        int perDevice = config.batch().perDevice();
        for (int from = 0; from < samples.size(); from += perDevice) {
            batches.add(new SyntheticBatch(
                    List.copyOf(samples.subList(from, from + perDevice)),
                    prompts.tokenizer(),
                    text.hiddenSize(),
                    data.phaseAt(step).imageTokenNoise()));
        }
        return batches;
    }

    private SyntheticBatch.Sample sample(LanguageConfig.Part phase, long number) {
        NanoText corpus = corpora.computeIfAbsent(phase, this::corpus);
        TextShares shares = phase.shares();
        double at = new SplittableRandom(data.seed() + number * 0x9E3779B97F4A7C15L).nextDouble(shares.total());
        if ((at -= shares.associativeRecall()) < 0) {
            return plain(number, corpus.exercises().associativeRecall(number));
        }
        if ((at -= shares.attributeListing()) < 0) {
            return plain(number, corpus.exercises().attributeListing(number));
        }
        if ((at -= shares.captionPairs()) < 0) {
            return plain(number, corpus.captionPair(number));
        }
        if ((at -= shares.optionRecall()) < 0) {
            return plain(number, corpus.exercises().optionRecall(number));
        }
        if ((at -= shares.translations()) < 0) {
            return plain(number, corpus.exercises().translations(number));
        }
        if ((at -= shares.presenceChoices()) < 0) {
            return plain(number, corpus.exercises().presenceChoices(number, false));
        }
        if ((at -= shares.chineseChoices()) < 0) {
            return plain(number, corpus.exercises().presenceChoices(number, true));
        }
        if ((at -= shares.choiceDrills()) < 0) {
            return plain(number, corpus.exercises().choiceDrill(number));
        }
        NanoText.Conversation conversation;
        if ((at -= shares.existenceDrills()) < 0) {
            conversation = corpus.existenceDrill(number);
        } else if (at - shares.instructionForms() < 0) {
            conversation = corpus.instructionForms(number);
        } else {
            conversation = corpus.conversation(number);
        }
        int maxLength = config.data().maxLength();
        return sample(
                number,
                prompts.training(conversation.turns(), conversation.cells().isEmpty() ? 0 : 1, maxLength)
                        .truncated(maxLength),
                conversation.cells());
    }

    private NanoText corpus(LanguageConfig.Part phase) {
        SceneOptions scenes = SceneOptions.scenes(sprites.drawings().trainingSets())
                .withObjects(phase.minObjects(), phase.maxObjects());
        Double signs = phase.signs();
        return new NanoText(sprites, signs == null ? scenes : scenes.withSigns(signs), data.seed());
    }

    private SyntheticBatch.Sample sample(long number, Prompt prompt, List<GridCell> cells) {
        return new SyntheticBatch.Sample("text " + number, prompt, cells, data.seed() * 0x9E3779B97F4A7C15L + number);
    }

    /** Stage 1's form: no system prompt and no roles (docs/reference/conversation.md#image-placement). No piece of the vocabulary crosses a blank. */
    private SyntheticBatch.Sample plain(long number, Exercises.PlainText plain) {
        SentencePieceTokenizer tokens = prompts.tokenizer();
        IntStream.Builder ids = IntStream.builder().add(tokens.bosId());
        IntStream.Builder labels = IntStream.builder().add(Prompt.IGNORE_INDEX);
        if (!plain.cells().isEmpty()) {
            ids.add(Prompt.IMAGE_TOKEN_INDEX);
            labels.add(Prompt.IGNORE_INDEX);
        }
        for (Exercises.Part part : plain.parts()) {
            for (int id : tokens.encode(part.text())) {
                ids.add(id);
                labels.add(part.supervised() ? id : Prompt.IGNORE_INDEX);
            }
        }
        Prompt prompt = new Prompt(ids.build().toArray(), labels.build().toArray());
        return sample(number, prompt.truncated(config.data().maxLength()), plain.cells());
    }

    @Override
    public void save(Path directory) {
        ModelFiles.save(directory, new ModelKind.Llama(text), weights, tokenizer, DType.F16);
    }

    @Override
    public void close() {
        prefetcher.close();
        languageModel.close();
        parameters.close();
        weights.close();
    }
}
