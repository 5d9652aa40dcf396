package io.llava4j.train.run;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.image.ImagePreparation;
import io.llava4j.image.RgbImage;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.tensor.collective.Rank;
import io.llava4j.text.PromptBuilder;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.train.config.Require;
import io.llava4j.train.data.Batch;
import io.llava4j.train.data.DataConfig;
import io.llava4j.train.data.DataLoader;
import io.llava4j.train.data.DataSets;
import io.llava4j.train.data.EpochSampler;
import io.llava4j.train.data.LeftOut;
import io.llava4j.train.data.LlavaData;
import io.llava4j.train.data.LlavaRecord;
import io.llava4j.train.data.ModalityGroupedSampler;
import io.llava4j.train.data.RandomSampler;
import io.llava4j.train.data.RankShare;
import io.llava4j.train.data.SamplePrompts;
import io.llava4j.train.data.SkippedRecord;
import io.llava4j.train.data.SourceNames;
import io.llava4j.train.data.format.Images;
import io.llava4j.train.run.feature.FeatureCache;
import io.llava4j.train.run.feature.ImageInputs;
import io.llava4j.train.run.input.DataInputs;
import io.llava4j.train.run.input.RunInputs;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Records as batches, epoch after epoch; what a step sees is a function of the recipe and the step number. */
public final class TrainingData implements ExampleSource {
    private static final Logger LOG = LoggerFactory.getLogger(TrainingData.class);

    private final String key;
    private final LlavaData data;
    private final Images images;
    private final DataConfig spec;
    private final EpochSampler sampler;
    private final long seed;
    private final RankShare share;
    private final SamplePrompts prompts;
    private final ImageInputs inputs;
    private final DataLoader.Settings settings;
    private final List<SkippedRecord> skippedBefore = new ArrayList<>();
    private final List<SkippedRecord> skippedElsewhere = new ArrayList<>();
    private final LeftOut leftOut;
    private @Nullable DataLoader loader;
    private int epoch = -1;
    private int position;

    /**
     * The records of a recipe's data section.
     *
     * @param spec the section
     * @param batch samples of a micro-batch and micro-batches of a step
     * @param seed of their order
     * @param model whose image size and token count per image the prompts are made for
     * @param tokenizer its file or folder
     * @param rank of this process, which reads its own samples only
     * @param features image features that are known already; null without a cache
     * @throws ConfigException if the longest sequence is longer than the language model's positions
     * @throws DataException if the records cannot be read, images are missing, or too many records are left out
     */
    public static TrainingData of(
            DataConfig spec,
            MicroBatches.Config batch,
            long seed,
            LlavaConfig model,
            Path tokenizer,
            Rank rank,
            @Nullable FeatureCache features) {
        return of("data.json", spec, batch, seed, model, tokenizer, rank, features, records -> {
            int[] lengths = records.stream()
                    .mapToInt(ModalityGroupedSampler::signedLength)
                    .toArray();
            return spec.groupByModality()
                    ? new ModalityGroupedSampler(lengths, batch.perDevice(), batch.accumulation() * rank.worldSize())
                    : new RandomSampler(lengths.length);
        });
    }

    /**
     * Held-out records, in the order of their file; every process reads all that it is asked for.
     *
     * @param spec the data section, with the held-out file in the place of {@code data.json}
     * @param perDevice samples of a batch
     * @param model whose image size and token count per image the prompts are made for
     * @param tokenizer its file or folder
     * @throws DataException as {@link #of}
     */
    public static TrainingData heldOut(DataConfig spec, int perDevice, LlavaConfig model, Path tokenizer) {
        MicroBatches.Config batch = new MicroBatches.Config(perDevice, 1, 1);
        return of(
                "evaluation.data",
                spec,
                batch,
                0,
                model,
                tokenizer,
                Rank.alone(),
                null,
                records -> (seed, epoch) -> IntStream.range(0, records.size()).toArray());
    }

    /** What to know before the first step if the largest image in tiles leaves no place for answers; records that lose theirs are left out and counted. */
    static Optional<String> longImages(int maxLength, LlavaConfig model) {
        return model.minTokensPerImage() < maxLength && model.tokensPerImage() >= maxLength
                ? Optional.of(String.format(
                        Locale.ROOT,
                        "an image in tiles has up to %,d tokens, and data.max-length is %,d: no answer about such an image is left; raise it or take smaller canvases (model.image-grids)",
                        model.tokensPerImage(),
                        maxLength))
                : Optional.empty();
    }

    private static void warnOfShownImages(String key, List<LlavaRecord> records) {
        long count = records.stream()
                .filter(LlavaRecord::showsImageThatItDoesNotHave)
                .count();
        if (count > 0) {
            LOG.warn(
                    "{}: questions of {} text-only records show an image in Markdown or HTML, which is read as text; `llava data validate` names them",
                    key,
                    count);
        }
    }

    private static TrainingData of(
            String key,
            DataConfig spec,
            MicroBatches.Config batch,
            long seed,
            LlavaConfig model,
            Path tokenizer,
            Rank rank,
            @Nullable FeatureCache features,
            Function<List<LlavaRecord>, EpochSampler> sampler) {
        requirePositions(spec.maxLength(), model.text());
        longImages(spec.maxLength(), model).ifPresent(sentence -> LOG.warn("{}: {}", key, sentence));
        LlavaData records = SourceNames.compared(
                DataSets.read(spec, spec.badRecordPolicy(), spec.questionRows(), DataSets.Take.EPOCH, seed));
        SamplePrompts prompts = new SamplePrompts(
                new PromptBuilder(SentencePieceTokenizer.load(tokenizer), spec.conversationTemplate()),
                spec.maxLength(),
                model.minTokensPerImage());
        ImagePreparation preparation =
                model.withAspectMode(spec.imageAspectRatio().mode()).imagePreparation();
        Images images = records.images(spec.images(), spec.followSymlinks());
        LeftOut leftOut = LeftOut.of(records, images, spec.missingImagePolicy());
        leftOut.require(spec.maxLeftOut());
        warnOfShownImages(key, records.records());
        return new TrainingData(
                key,
                records,
                images,
                leftOut,
                spec,
                sampler.apply(records.records()),
                seed,
                new RankShare(rank.rank(), rank.worldSize(), batch.perDevice(), batch.accumulation()),
                prompts,
                new ImageInputs(images, spec.orientation(), preparation, features),
                new DataLoader.Settings(
                        batch.perDevice(), spec.workers(), spec.missingImagePolicy(), spec.badRecordPolicy()));
    }

    /** LLaVA trains 2,048 of Vicuna's 4,096 positions; linear RoPE scaling stretches those that the language model knows. */
    private static void requirePositions(int maxLength, TextConfig text) {
        long positions = Math.round(text.maxPositionEmbeddings() * Math.max(1, text.ropeFactor()));
        Require.that(
                maxLength <= positions,
                "data.max-length %d is more than the %d positions of the language model, which knows nothing of those beyond; set it to at most %d"
                        .formatted(maxLength, positions, positions));
    }

    private TrainingData(
            String key,
            LlavaData data,
            Images images,
            LeftOut leftOut,
            DataConfig spec,
            EpochSampler sampler,
            long seed,
            RankShare share,
            SamplePrompts prompts,
            ImageInputs inputs,
            DataLoader.Settings settings) {
        this.key = key;
        this.data = data;
        this.images = images;
        this.leftOut = leftOut;
        this.spec = spec;
        this.sampler = sampler;
        this.seed = seed;
        this.share = share;
        this.prompts = prompts;
        this.inputs = inputs;
        this.settings = settings;
    }

    /** Records of one epoch. */
    @Override
    public int size() {
        return data.records().size();
    }

    @Override
    public List<LlavaData.Part> dataSets() {
        return data.parts();
    }

    /** Micro-batches of one epoch, where a step has one. */
    int batches() {
        return Math.ceilDiv(size(), settings.batchSize());
    }

    /** The first records of the file, at most so many. */
    List<LlavaRecord> first(int count) {
        return data.records().subList(0, Math.min(count, size()));
    }

    /** An image, given its path in a record. */
    RgbImage decode(String image) {
        return images.decode(image, spec.orientation());
    }

    /** This process's micro-batch of a step, null where the epoch's last step has none for it. */
    @Override
    public @Nullable Batch batch(int step, int micro) {
        int stepsPerEpoch = share.steps(size());
        int wantedEpoch = step / stepsPerEpoch;
        int wanted = share.position(step % stepsPerEpoch, micro);
        if (!share.has(step % stepsPerEpoch, micro, size())) {
            return null;
        }
        DataLoader current = loader;
        if (current == null || wantedEpoch != epoch || wanted != position) {
            closeLoader();
            int[] own = share.of(sampler.order(seed, wantedEpoch));
            current = new DataLoader(
                    data,
                    prompts::of,
                    inputs::load,
                    example -> prompts.requireAnswer(example.prompt(), example.imageTokens(prompts.tokensPerView())),
                    settings,
                    own,
                    wanted);
            loader = current;
            epoch = wantedEpoch;
        }
        int skipped = current.skipped().size();
        Batch batch = current.next();
        position = batch.end();
        if (current.skipped().size() > skipped) {
            requireEnough();
        }
        return batch;
    }

    @Override
    public void skippedElsewhere(List<SkippedRecord> records) {
        if (skippedElsewhere.addAll(records)) {
            requireEnough();
        }
    }

    /** What any process finds while loading, such as damaged images, counts for {@code data.max-left-out} too. */
    private void requireEnough() {
        Map<String, SkippedRecord> all = new LinkedHashMap<>();
        Stream.of(leftOut.records(), skipped(), skippedElsewhere)
                .flatMap(List::stream)
                .forEach(record -> all.putIfAbsent(record.file() + ":" + record.index(), record));
        new LeftOut(List.copyOf(all.values()), leftOut.total()).require(spec.maxLeftOut());
    }

    @Override
    public RunInputs inputs() {
        RunInputs known = RunInputs.NONE;
        for (Map.Entry<String, List<LlavaRecord>> part : data.recordsByPart().entrySet()) {
            String name = part.getKey().isEmpty() ? key : "data.sets " + part.getKey();
            known = known.and(DataInputs.of(name, part.getValue(), images));
        }
        return known;
    }

    @Override
    public List<String> notes() {
        List<String> notes = new ArrayList<>();
        data.parts().forEach(part -> notes.add(part.sentence()));
        leftOut.sentence().ifPresent(notes::add);
        inputs.sentence(data.records()).ifPresent(notes::add);
        if (data.systemPrompts() > 0 && !spec.conversationTemplate().takesSystem()) {
            notes.add("the system prompts of %d records are not used, because template %s has none"
                    .formatted(data.systemPrompts(), spec.conversationTemplate().name()));
        }
        return notes;
    }

    /** Every record left out so far: by the reader of the file, then while loading. */
    @Override
    public List<SkippedRecord> skipped() {
        List<SkippedRecord> all = new ArrayList<>(data.skipped());
        all.addAll(skippedBefore);
        if (loader != null) {
            all.addAll(loader.skipped());
        }
        return all;
    }

    @Override
    public void close() {
        closeLoader();
        data.close();
    }

    private void closeLoader() {
        if (loader != null) {
            skippedBefore.addAll(loader.skipped());
            loader.close();
            loader = null;
        }
    }
}
