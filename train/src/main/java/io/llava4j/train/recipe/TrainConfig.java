package io.llava4j.train.recipe;

import io.llava4j.ConfigException;
import io.llava4j.image.AspectMode;
import io.llava4j.model.config.LoraConfig;
import io.llava4j.model.config.ProjectorType;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.text.ConversationTemplate;
import io.llava4j.text.ResponseFormat;
import io.llava4j.train.data.Policy;
import io.llava4j.train.data.format.QuestionRows;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A recipe with every value resolved. The YAML keys are the component names in kebab-case, one mapping per section;
 * {@link RecipeLoader} reads and writes them. Every constructor checks its own values and refuses combinations that
 * cannot work with a {@link ConfigException} that names the key. Relative paths are relative to the working directory.
 *
 * @param stage what is trained; fixes the defaults of the keys in which the stages differ (docs/reference/training.md#stages)
 * @param seed of weights that start random, data order and sampling
 * @param output run directory
 * @param model where the network comes from
 * @param data what it is shown
 * @param trainable which parts learn
 * @param lora adapters that learn in the language model's place; absent for none
 * @param optimizer AdamW
 * @param schedule length and learning-rate curve
 * @param batch samples per optimiser step
 * @param device {@code cpu} or {@code cuda:N}
 * @param threads of the engine; 0 lets the machine decide
 * @param precision of weights and arithmetic
 * @param gradientCheckpointing computes the decoder's blocks again on the way back instead of keeping what is in them:
 *     the same numbers with less memory and a third more time
 * @param logging what is reported when
 * @param checkpoint what is saved when
 */
public record TrainConfig(
        Stage stage,
        @Default("42") long seed,
        Path output,
        ModelSpec model,
        DataSpec data,
        Trainable trainable,
        @Nullable LoraSpec lora,
        OptimizerSpec optimizer,
        ScheduleSpec schedule,
        BatchSpec batch,
        @Default("cpu") String device,
        @Default("0") int threads,
        @Default("fp32") Precision precision,
        @Default("false") boolean gradientCheckpointing,
        LoggingSpec logging,
        CheckpointSpec checkpoint) {

    private static final Pattern DEVICE = Pattern.compile("cpu|cuda:\\d{1,3}");

    public TrainConfig {
        require(
                DEVICE.matcher(device).matches(),
                "device is '%s'; write cpu, or cuda:0 for the first GPU".formatted(device));
        atLeast("threads", threads, 0);
        model.checkFor(stage);
        data.checkFor(stage);
        trainable.checkFor(stage);
        require(
                lora == null || stage == Stage.TUNE,
                "lora has no place in stage %s; its adapters learn in stage tune only".formatted(name(stage)));
        require(
                lora == null || !trainable.languageModel(),
                "lora is set but trainable.language-model is true; set it to false, as the adapters learn in its place");
        require(
                lora != null || trainable.projector() || trainable.languageModel() || trainable.visionTower(),
                "trainable has no part that learns; set one of projector, language-model, vision-tower to true");
        require(
                !gradientCheckpointing || stage != Stage.TOWER,
                "gradient-checkpointing is true, but stage tower has no decoder; set it to false");
        require(
                batch.parallel() == 1 || !gradientCheckpointing,
                "gradient-checkpointing saves memory and batch.parallel %d spends it; set batch.parallel to 1"
                        .formatted(batch.parallel()));
        require(
                batch.parallel() == 1 || lora == null || lora.dropout() == 0,
                "lora.dropout draws from one generator; set batch.parallel to 1 or lora.dropout to 0");
        if (trainable.projector() && model.projectorType().equals("identity")) {
            throw new ConfigException(
                    "trainable.projector is true but model.projector-type is identity, which has no weights; set it to"
                            + " false or choose mlp2x_gelu");
        }
        require(
                optimizer.projectorLearningRate() == null || trainable.projector() || lora != null,
                "optimizer.projector-learning-rate is set but trainable.projector is false; remove one of the two");
        TextShape text = model.config().text();
        require(
                text == null || stage == Stage.TOWER || data.maxLength() <= text.maxPositionEmbeddings(),
                "data.max-length is %d but model.config.text.max-position-embeddings is smaller; lower the first or raise"
                                .formatted(data.maxLength())
                        + " the second");
    }

    /** Threads the engine may use for one operation: micro-batches that run at once share the machine. */
    public int engineThreads() {
        int all = threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
        return Math.max(1, all / batch.parallel());
    }

    /** Samples of one optimiser step on one device. */
    public int samplesPerStep() {
        return batch.perDevice() * batch.accumulation();
    }

    /**
     * Where the network comes from: a whole model directory, or parts, or shapes to start at random.
     *
     * @param base directory of a whole LLaVA model
     * @param visionTower directory of a vision tower; with {@code languageModel} the alternative to {@code base}
     * @param languageModel directory of a language model with its tokenizer
     * @param projector weights of a projector, for instance stage 1's; random where it is missing
     * @param tokenizer SentencePiece model, for a language model that starts at random
     * @param config shapes of parts that start at random
     * @param projectorType {@code linear}, {@code mlpNx_gelu} or {@code identity}
     * @param selectLayer which hidden state of the tower is used, negative from the end
     * @param selectFeature which rows of it are used
     */
    public record ModelSpec(
            @Nullable Path base,
            @Nullable Path visionTower,
            @Nullable Path languageModel,
            @Nullable Path projector,
            @Nullable Path tokenizer,
            Shapes config,
            @Default("mlp2x_gelu") String projectorType,
            @Default("-2") int selectLayer,
            @Default("patch") SelectFeature selectFeature) {

        public ModelSpec {
            require(
                    ProjectorType.find(projectorType).isPresent(),
                    "model.projector-type is '%s'; write %s".formatted(projectorType, ProjectorType.KNOWN));
            if (base != null && (visionTower != null || languageModel != null)) {
                throw new ConfigException(
                        "model.base names a whole model, so model.%s cannot be set as well; remove one"
                                .formatted(visionTower != null ? "vision-tower" : "language-model"));
            }
            VisionShape vision = config.vision();
            if (vision != null) {
                int index = selectLayer < 0 ? vision.layers() + 1 + selectLayer : selectLayer;
                require(
                        index >= 0 && index <= vision.layers(),
                        "model.select-layer is %d but the tower has %d layers".formatted(selectLayer, vision.layers()));
            }
        }

        void checkFor(Stage stage) {
            switch (stage) {
                case ALIGN, TUNE -> {
                    require(
                            base != null || (visionTower != null && languageModel != null),
                            "model.base is missing; name a model directory, or both model.vision-tower and"
                                    + " model.language-model");
                    require(
                            config.vision() == null && config.text() == null,
                            "model.config gives shapes of parts that start at random, which stage %s does not have; remove it"
                                    .formatted(name(stage)));
                }
                case TOWER -> {
                    require(
                            config.vision() != null || visionTower != null,
                            "model.config.vision is missing; stage tower needs the tower's shape, or model.vision-tower to"
                                    + " go on from");
                    require(
                            base == null && languageModel == null && projector == null,
                            "model.base, model.language-model and model.projector have no place in stage tower; remove them");
                }
                case LANGUAGE -> {
                    require(
                            config.text() != null || languageModel != null,
                            "model.config.text is missing; stage language needs the decoder's shape, or"
                                    + " model.language-model to go on from");
                    require(
                            config.text() == null || tokenizer != null,
                            "model.tokenizer is missing; a language model that starts at random needs a tokenizer.model");
                    require(
                            base == null && visionTower == null && projector == null,
                            "model.base, model.vision-tower and model.projector have no place in stage language; remove"
                                    + " them");
                }
            }
        }
    }

    /**
     * Shapes of the parts that start at random.
     *
     * @param vision the tower
     * @param text the decoder; in stage {@code tower} the text side of the contrastive pair
     */
    public record Shapes(
            @Nullable VisionShape vision, @Nullable TextShape text) {}

    /**
     * Shape of a vision tower, see {@link VisionConfig}.
     *
     * @param hiddenSize width of the hidden states
     * @param intermediateSize width of the MLP
     * @param layers number of blocks
     * @param heads attention heads, divides {@code hiddenSize}
     * @param imageSize edge of the square input in pixels
     * @param patchSize edge of a patch in pixels, divides {@code imageSize}
     * @param stemChannels empty for CLIP's patch convolution, otherwise the channels of the residual stages
     */
    public record VisionShape(
            int hiddenSize,
            int intermediateSize,
            int layers,
            int heads,
            int imageSize,
            int patchSize,
            @Default("[]") List<Integer> stemChannels) {

        public VisionShape {
            String at = "model.config.vision.";
            positive(at + "hidden-size", hiddenSize);
            positive(at + "intermediate-size", intermediateSize);
            positive(at + "layers", layers);
            positive(at + "heads", heads);
            positive(at + "image-size", imageSize);
            positive(at + "patch-size", patchSize);
            divides(at + "heads", heads, at + "hidden-size", hiddenSize);
            divides(at + "patch-size", patchSize, at + "image-size", imageSize);
            stemChannels = List.copyOf(stemChannels);
            stemChannels.forEach(c -> positive(at + "stem-channels", c));
            require(
                    stemChannels.isEmpty() || (stemChannels.size() < 31 && 1 << stemChannels.size() == patchSize),
                    "%sstem-channels has %d stages, each of which halves the image, but %spatch-size is %d; they must agree (3 stages for 8)"
                            .formatted(at, stemChannels.size(), at, patchSize));
        }

        /** The tower of this shape, with CLIP's activation and epsilon. */
        public VisionConfig toConfig() {
            return new VisionConfig(
                    hiddenSize,
                    intermediateSize,
                    layers,
                    heads,
                    imageSize,
                    patchSize,
                    VisionConfig.CLIP_VIT_L_336.layerNormEps(),
                    VisionConfig.CLIP_VIT_L_336.hiddenAct(),
                    stemChannels);
        }
    }

    /**
     * Shape of a decoder, see {@link TextConfig}.
     *
     * @param hiddenSize width of the hidden states
     * @param intermediateSize width of the MLP
     * @param layers number of blocks
     * @param heads query heads, divides {@code hiddenSize}
     * @param kvHeads key and value heads, divides {@code heads}; 0 for as many as {@code heads}
     * @param vocabSize rows of the embedding table, at least the tokenizer's pieces
     * @param maxPositionEmbeddings longest sequence in tokens
     * @param ropeTheta base of the rotary embedding
     * @param tieWordEmbeddings whether the LM head is the embedding table
     */
    public record TextShape(
            int hiddenSize,
            int intermediateSize,
            int layers,
            int heads,
            @Default("0") int kvHeads,
            int vocabSize,
            @Default("2048") int maxPositionEmbeddings,
            @Default("10000") double ropeTheta,
            @Default("false") boolean tieWordEmbeddings) {

        public TextShape {
            String at = "model.config.text.";
            positive(at + "hidden-size", hiddenSize);
            positive(at + "intermediate-size", intermediateSize);
            positive(at + "layers", layers);
            positive(at + "heads", heads);
            atLeast(at + "kv-heads", kvHeads, 0);
            positive(at + "vocab-size", vocabSize);
            positive(at + "max-position-embeddings", maxPositionEmbeddings);
            positive(at + "rope-theta", ropeTheta);
            divides(at + "heads", heads, at + "hidden-size", hiddenSize);
            require(
                    hiddenSize / heads % 2 == 0,
                    at + "hidden-size divided by heads must be even for rotary embeddings, not " + hiddenSize / heads);
            if (kvHeads != 0) {
                divides(at + "kv-heads", kvHeads, at + "heads", heads);
            }
        }

        /** The decoder of this shape, with Vicuna's epsilon and special ids. */
        public TextConfig toConfig() {
            TextConfig vicuna = TextConfig.VICUNA_7B;
            return new TextConfig(
                    hiddenSize,
                    intermediateSize,
                    layers,
                    heads,
                    kvHeads == 0 ? heads : kvHeads,
                    vocabSize,
                    maxPositionEmbeddings,
                    vicuna.rmsNormEps(),
                    ropeTheta,
                    tieWordEmbeddings,
                    vicuna.bosTokenId(),
                    vicuna.eosTokenId(),
                    vicuna.padTokenId());
        }
    }

    /**
     * What the network is shown.
     *
     * @param json the records: LLaVA's JSON array or JSON lines (docs/reference/data.md#record-format), CSV, Parquet, WebDataset or a folder
     * @param images folder below which the images are; may be missing if no record has one, or they come with the records
     * @param followSymlinks whether symbolic links may lead out of {@code images}
     * @param imageAspectRatio what happens to images that are not square
     * @param template how a conversation becomes text
     * @param maxLength sequences are cut to this many tokens, image rows included
     * @param groupByModality batches of images only or text only (docs/reference/training.md#sampler)
     * @param missingImagePolicy what happens to a record whose image is missing or unreadable
     * @param badRecordPolicy what happens to a record that breaks the format's rules
     * @param mergeByImage whether rows of questions about one image make one conversation
     * @param responseFormat what such questions say about the form of the answer, unless a row tells
     * @param workers threads that read images; 0 lets the machine decide
     * @param nano scenes of the nano world drawn on the fly, the alternative to {@code json} in the pre-training stages
     */
    public record DataSpec(
            @Nullable Path json,
            @Nullable Path images,
            @Default("false") boolean followSymlinks,
            ImageAspectRatio imageAspectRatio,
            Template template,
            @Default("2048") int maxLength,
            boolean groupByModality,
            @Default("fail") Policy missingImagePolicy,
            @Default("skip") Policy badRecordPolicy,
            @Default("true") boolean mergeByImage,
            @Default("none") ResponseFormat responseFormat,
            @Default("0") int workers,
            @Nullable NanoSpec nano) {

        public DataSpec {
            atLeast("data.max-length", maxLength, 4);
            atLeast("data.workers", workers, 0);
            require(json == null || nano == null, "data.json and data.nano are both set; remove one");
            QuestionRows.requireFor(responseFormat);
        }

        /** How rows of a question and an answer become conversations. */
        public QuestionRows questionRows() {
            return new QuestionRows(mergeByImage, responseFormat);
        }

        /** How a conversation becomes text. */
        public ConversationTemplate conversationTemplate() {
            return template == Template.PLAIN ? ConversationTemplate.PLAIN : ConversationTemplate.V1;
        }

        void checkFor(Stage stage) {
            if (stage == Stage.ALIGN || stage == Stage.TUNE) {
                require(nano == null, "data.nano feeds the stages tower and language only; give data.json instead");
                require(json != null, "data.json is missing; name the file with the conversations");
            } else {
                require(
                        json != null || nano != null,
                        "data.json is missing; name a file, or describe scenes under data.nano");
            }
            require(
                    !groupByModality || stage == Stage.ALIGN || stage == Stage.TUNE,
                    "data.group-by-modality is true but stage %s has one modality only; set it to false"
                            .formatted(name(stage)));
            require(
                    !groupByModality || template != Template.PLAIN,
                    "data.group-by-modality is true but data.template plain takes images only; set it to false");
        }
    }

    /**
     * Scenes of the nano world drawn while training.
     *
     * @param seed of the scenes; independent of the run's seed
     * @param count scenes of one epoch
     * @param imageSize edge of a scene in pixels
     * @param curriculum phases one after the other; empty for one phase with the values above
     */
    public record NanoSpec(
            @Default("1") long seed,
            int count,
            int imageSize,
            @Default("[]") List<Phase> curriculum) {
        public NanoSpec {
            positive("data.nano.count", count);
            positive("data.nano.image-size", imageSize);
            curriculum = List.copyOf(curriculum);
        }

        /** The phase a step from 0 up belongs to; the last one lasts for ever. */
        public Phase phaseAt(int step) {
            int end = 0;
            Phase last = new Phase(Integer.MAX_VALUE, imageSize, 1, 5, 0, null);
            for (Phase phase : curriculum) {
                end += phase.steps();
                last = phase;
                if (step < end) {
                    break;
                }
            }
            return last;
        }
    }

    /**
     * One phase of a curriculum.
     *
     * @param steps optimiser steps it lasts
     * @param imageSize edge of a scene in pixels; of use where scenes are drawn
     * @param minObjects fewest objects of a scene
     * @param maxObjects most objects of a scene
     * @param wordNoise deviation, at most, of the noise on fields of scenes told in words in stage language
     * @param text what is read about the scenes in stage language
     */
    public record Phase(
            int steps,
            @Default("96") int imageSize,
            @Default("1") int minObjects,
            @Default("5") int maxObjects,
            @Default("0") double wordNoise,
            @Nullable TextShares text) {
        public Phase {
            positive("data.nano.curriculum.steps", steps);
            positive("data.nano.curriculum.image-size", imageSize);
            positive("data.nano.curriculum.min-objects", minObjects);
            atLeast("data.nano.curriculum.max-objects", maxObjects, minObjects);
            notNegative("data.nano.curriculum.word-noise", wordNoise);
        }
    }

    /**
     * How often each kind of text about the nano world is read, relative to each other.
     *
     * @param partners fields of two names each, then one of them, to be answered with the other
     * @param rollCalls scenes in words, then names with what is to be said of each
     * @param captionPairs maps of words with a caption, in the form of stage 1
     * @param drills many existence questions about a scene in words
     * @param conversations those of stage 2 about scenes in words
     */
    public record TextShares(
            @Default("0") double partners,
            @Default("0") double rollCalls,
            @Default("0") double captionPairs,
            @Default("0") double drills,
            @Default("0") double conversations) {
        /** What is read where no curriculum says otherwise. */
        public static final TextShares DEFAULT = new TextShares(0, 0, 1, 0, 4);

        public TextShares {
            notNegative("data.nano.curriculum.text.partners", partners);
            notNegative("data.nano.curriculum.text.roll-calls", rollCalls);
            notNegative("data.nano.curriculum.text.caption-pairs", captionPairs);
            notNegative("data.nano.curriculum.text.drills", drills);
            notNegative("data.nano.curriculum.text.conversations", conversations);
            require(
                    partners + rollCalls + captionPairs + drills + conversations > 0,
                    "data.nano.curriculum.text has no share above 0; give one");
        }

        /** Sum of the shares, which need not be 1. */
        public double total() {
            return partners + rollCalls + captionPairs + drills + conversations;
        }
    }

    /**
     * Which parts learn; the others are frozen.
     *
     * @param projector the projector
     * @param languageModel the whole decoder with embeddings and LM head
     * @param visionTower the tower; frozen in both stages of LLaVA-1.5
     */
    public record Trainable(boolean projector, boolean languageModel, boolean visionTower) {
        void checkFor(Stage stage) {
            if (stage == Stage.TOWER) {
                require(
                        visionTower && !projector && !languageModel,
                        "trainable must be the vision-tower and nothing else in stage tower");
            } else if (stage == Stage.LANGUAGE) {
                require(
                        languageModel && !projector && !visionTower,
                        "trainable must be the language-model and nothing else in stage language");
            }
        }
    }

    /**
     * Low-rank adapters of every linear layer of the decoder's blocks (docs/reference/training.md#lora).
     *
     * @param r rank
     * @param alpha the adapters' weight times their rank
     * @param dropout share of their inputs left out
     */
    public record LoraSpec(
            @Default("128") int r,
            @Default("256") double alpha,
            @Default("0.05") double dropout) {
        public LoraSpec {
            positive("lora.r", r);
            positive("lora.alpha", alpha);
            fraction("lora.dropout", dropout);
        }

        /** The same in the terms of the network. */
        public LoraConfig toConfig() {
            return new LoraConfig(r, alpha, dropout);
        }
    }

    /**
     * AdamW with decoupled weight decay.
     *
     * @param learningRate highest learning rate of the schedule
     * @param projectorLearningRate the projector's own, where it differs ({@code mm_projector_lr})
     * @param weightDecay applied to matrices only, not to biases and norms
     * @param beta1 decay of the first moment
     * @param beta2 decay of the second moment
     * @param epsilon added to the denominator
     * @param maxGradNorm gradients are scaled down to this global norm; 0 for no clipping
     */
    public record OptimizerSpec(
            double learningRate,
            @Nullable Double projectorLearningRate,
            @Default("0") double weightDecay,
            @Default("0.9") double beta1,
            @Default("0.999") double beta2,
            @Default("1e-8") double epsilon,
            @Default("0") double maxGradNorm) {

        public OptimizerSpec {
            positive("optimizer.learning-rate", learningRate);
            if (projectorLearningRate != null) {
                positive("optimizer.projector-learning-rate", projectorLearningRate);
            }
            notNegative("optimizer.weight-decay", weightDecay);
            fraction("optimizer.beta1", beta1);
            fraction("optimizer.beta2", beta2);
            positive("optimizer.epsilon", epsilon);
            notNegative("optimizer.max-grad-norm", maxGradNorm);
        }
    }

    /**
     * Length of the run and shape of its learning-rate curve.
     *
     * @param type curve after the warm-up
     * @param warmupRatio share of all steps in which the rate rises from 0
     * @param epochs passes over the data
     * @param maxSteps optimiser steps, whatever {@code epochs} says
     */
    public record ScheduleSpec(
            @Default("cosine") ScheduleType type,
            @Default("0.03") double warmupRatio,
            @Default("1") double epochs,
            @Nullable Integer maxSteps) {
        public ScheduleSpec {
            fraction("schedule.warmup-ratio", warmupRatio);
            positive("schedule.epochs", epochs);
            if (maxSteps != null) {
                positive("schedule.max-steps", maxSteps);
            }
        }
    }

    /**
     * Samples per optimiser step: {@code perDevice * accumulation} on each device.
     *
     * @param perDevice samples of one micro-batch
     * @param accumulation micro-batches of one step; the loss is the mean of their means (docs/reference/training.md#loss)
     * @param parallel micro-batches computed at once, each with its share of the threads: faster for small networks on a
     *     CPU, at the price of their activations
     */
    public record BatchSpec(
            int perDevice,
            @Default("1") int accumulation,
            @Default("1") int parallel) {
        public BatchSpec {
            positive("batch.per-device", perDevice);
            positive("batch.accumulation", accumulation);
            positive("batch.parallel", parallel);
            require(
                    accumulation % parallel == 0,
                    "batch.parallel %d does not divide batch.accumulation %d; choose one that does"
                            .formatted(parallel, accumulation));
        }
    }

    /**
     * What is reported when.
     *
     * @param everySteps metrics every so many steps
     * @param samplesEverySteps answers to a few fixed samples every so many steps; 0 for never
     */
    public record LoggingSpec(
            @Default("1") int everySteps, @Default("0") int samplesEverySteps) {
        public LoggingSpec {
            positive("logging.every-steps", everySteps);
            atLeast("logging.samples-every-steps", samplesEverySteps, 0);
        }
    }

    /**
     * What is saved when.
     *
     * @param everySteps a resumable checkpoint every so many steps; 0 for one at the end only
     * @param keepLast older checkpoints beyond this number are deleted
     */
    public record CheckpointSpec(
            @Default("500") int everySteps, @Default("1") int keepLast) {
        public CheckpointSpec {
            atLeast("checkpoint.every-steps", everySteps, 0);
            positive("checkpoint.keep-last", keepLast);
        }
    }

    /** Which rows of the tower's hidden state are kept. */
    public enum SelectFeature {
        PATCH,
        CLS_PATCH
    }

    /** {@code image_aspect_ratio} of LLaVA. */
    public enum ImageAspectRatio {
        /** CLIP's resize and centre crop. */
        SQUARE,
        /** Padded to a square with the mean colour. */
        PAD;

        /** The same in the terms of image processing. */
        public AspectMode mode() {
            return this == PAD ? AspectMode.PAD : AspectMode.CROP;
        }
    }

    /** Conversation template, {@code version} of LLaVA (docs/reference/conversation.md#templates). */
    public enum Template {
        PLAIN,
        V1
    }

    /** Learning-rate curve after the warm-up. */
    public enum ScheduleType {
        COSINE,
        CONSTANT
    }

    /** Number format of weights and arithmetic. */
    public enum Precision {
        FP32
    }

    private static String name(Stage stage) {
        return stage.name().toLowerCase(Locale.ROOT);
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new ConfigException(message);
        }
    }

    private static void atLeast(String key, int value, int least) {
        require(value >= least, "%s must be at least %d, not %d".formatted(key, least, value));
    }

    private static void positive(String key, int value) {
        atLeast(key, value, 1);
    }

    private static void positive(String key, double value) {
        require(value > 0 && Double.isFinite(value), key + " must be above 0, not " + value);
    }

    private static void notNegative(String key, double value) {
        require(value >= 0 && Double.isFinite(value), key + " must be 0 or more, not " + value);
    }

    private static void fraction(String key, double value) {
        require(value >= 0 && value < 1, key + " must be at least 0 and below 1, not " + value);
    }

    private static void divides(String key, int divisor, String ofKey, int value) {
        require(value % divisor == 0, "%s is %d, which does not divide %s, %d".formatted(key, divisor, ofKey, value));
    }
}
