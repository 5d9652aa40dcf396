package io.llava4j.train.run;

import io.llava4j.ConfigException;
import io.llava4j.checkpoint.DType;
import io.llava4j.checkpoint.ModelKind;
import io.llava4j.model.LlamaModel;
import io.llava4j.model.TextConfig;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.text.ConversationTemplate;
import io.llava4j.text.Prompt;
import io.llava4j.text.PromptBuilder;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.train.nano.Drawings;
import io.llava4j.train.nano.NanoText;
import io.llava4j.train.nano.Sprites;
import io.llava4j.train.recipe.TrainConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Text-only pre-training of a small language model on conversations about described scenes. Trained on every token, it
 * learns from what repeats in descriptions to look back; trained on answers, to use that.
 */
final class LanguageObjective implements Objective {
    /** Every so many samples one has stage 1's form, so that the connector finds a model that knows how captions go. */
    private static final int CAPTION_EVERY = 5;

    private record Sample(String id, Prompt prompt) {}

    private record Batch(List<Prompt> prompts, List<String> ids) {}

    private final TrainConfig config;
    private final TrainConfig.NanoSpec data;
    private final TextConfig text;
    private final Path tokenizer;
    private final PromptBuilder prompts;
    private final NanoText corpus;
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
        this.corpus = new NanoText(new Sprites(Drawings.load()), nano.seed());
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
    public Loss microBatch(int step, int micro, int of) {
        if (micro == 0 || step != preparedStep) {
            prepared = ahead.get(step);
            preparedStep = step;
        }
        Batch batch = prepared.get(micro);
        boolean everyToken = config.data().supervised() == TrainConfig.Supervision.ALL;
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
                labels[row][t] = everyToken ? prompt.ids()[t] : prompt.labels()[t];
            }
        }
        Tensor embeds = decoder.embed(
                Tensors.of(ids, labels.length, longest).to(decoder.like().device(), torch.ScalarType.Long));
        Tensor loss = SequenceLoss.of(decoder, decoder.hiddenStates(embeds), labels);
        return new Loss(loss, batch.ids(), (long) labels.length * longest, SequenceLoss.supervised(labels));
    }

    /** The micro-batches of a step; samples of like length share one, as padding is computed for nothing. */
    private List<Batch> prepare(int step) {
        List<Sample> samples = new ArrayList<>();
        for (int i = 0; i < config.samplesPerStep(); i++) {
            long number = (long) step * config.samplesPerStep() + i;
            Prompt prompt = number % CAPTION_EVERY == 0
                    ? captionPrompt(corpus.captionPair(number))
                    : prompts.training(
                            corpus.conversation(number), false, config.data().maxLength());
            samples.add(new Sample("text " + number, prompt));
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

    /** Stage 1's sequence: what stands for the picture, then the caption on its own and a newline (spec/conversation 3). */
    private Prompt captionPrompt(NanoText.CaptionPair pair) {
        SentencePieceTokenizer tokenizerOf = prompts.tokenizer();
        int[] context = tokenizerOf.encodeWithBos(pair.map());
        int[] caption = tokenizerOf.encode(pair.caption() + "\n");
        int[] ids = Arrays.copyOf(context, context.length + caption.length);
        System.arraycopy(caption, 0, ids, context.length, caption.length);
        int[] labels = ids.clone();
        Arrays.fill(labels, 0, context.length, Prompt.IGNORE_INDEX);
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
