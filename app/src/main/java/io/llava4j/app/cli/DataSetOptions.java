package io.llava4j.app.cli;

import io.llava4j.ConfigException;
import io.llava4j.image.ExifOrientation;
import io.llava4j.image.ImagePreparation;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.text.ConversationTemplate;
import io.llava4j.text.PromptBuilder;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.train.data.DataSets;
import io.llava4j.train.data.LlavaData;
import io.llava4j.train.data.LlavaFiles;
import io.llava4j.train.data.Policy;
import io.llava4j.train.data.SamplePrompts;
import io.llava4j.train.data.check.ImageViews;
import io.llava4j.train.data.format.Images;
import io.llava4j.train.data.format.QuestionRows;
import io.llava4j.train.recipe.RecipeLoader;
import io.llava4j.train.recipe.TrainConfig;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * Options of a data set and of the model that reads it. A value comes from the command line, else from the recipe, else
 * from LLaVA-1.5.
 */
final class DataSetOptions {
    /** LLaVA-1.5's longest sequence. */
    private static final int MAX_LENGTH = 2048;

    @Parameters(
            paramLabel = "FILE",
            arity = "0..1",
            description = "JSON, JSON lines, CSV, Parquet, WebDataset or a folder, or a recipe (.yaml) for its data.")
    private @Nullable Path file;

    @Option(names = "--images", paramLabel = "DIR", description = "Folder of the images, unless FILE contains them.")
    private @Nullable Path images;

    @Option(
            names = "--recipe",
            paramLabel = "RECIPE",
            description = "Take data, tokenizer, template, lengths and sizes from a training recipe.")
    private @Nullable Path recipe;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "Change a key of the recipe; repeatable.")
    private Map<String, String> overrides = new LinkedHashMap<>();

    @Option(
            names = "--tokenizer",
            paramLabel = "PATH",
            description = "tokenizer.model, or the folder of a model that has one.")
    private @Nullable Path tokenizer;

    @Option(names = "--template", paramLabel = "NAME", description = "plain for stage 1, v1 for stage 2 (default: v1).")
    private @Nullable String template;

    @Option(
            names = "--max-length",
            paramLabel = "TOKENS",
            description = "Longest sequence, image tokens included (default: " + MAX_LENGTH + ").")
    private @Nullable Integer maxLength;

    @Option(names = "--image-size", paramLabel = "PIXELS", description = "Edge of the model's input (default: 336).")
    private @Nullable Integer imageSize;

    @Option(
            names = "--response-format",
            paramLabel = "FORMAT",
            description = "Response format that the questions of a table ask for, unless a row has its own"
                    + " response_format: none, short, letter, short-or-unanswerable (default: none).")
    private @Nullable String responseFormat;

    @Option(
            names = "--no-merge-by-image",
            description = "Make a conversation of each row of a table; by default all rows about an image make one.")
    private boolean noMerge;

    @Option(names = "--follow-symlinks", description = "Accept symbolic links that lead out of the image folder.")
    private boolean followSymlinks;

    private @Nullable TrainConfig config;

    /** The recipe; null if none is named. */
    @Nullable
    TrainConfig config() {
        if (config == null && file != null && isRecipe(file)) {
            if (recipe != null) {
                throw new ConfigException("both %s and --recipe %s are recipes; name one".formatted(file, recipe));
            }
            recipe = file;
            file = null;
        }
        if (config == null && recipe != null) {
            config = new RecipeLoader(ModelPath::named).load(recipe, overrides, System.getenv());
        }
        return config;
    }

    private static boolean isRecipe(Path named) {
        String name = String.valueOf(named.getFileName()).toLowerCase(Locale.ROOT);
        return name.endsWith(".yaml") || name.endsWith(".yml");
    }

    /** The data file, given or of the recipe; where the recipe has several data sets, one must be named. */
    private Path file() {
        TrainConfig known = config();
        if (file == null && known != null && known.data().sets() != null) {
            throw new ConfigException("the recipe has several data sets; name the file of one, and --images");
        }
        Path fromRecipe = known == null ? null : known.data().json();
        Path named = file != null ? file : fromRecipe;
        if (named == null) {
            throw new ConfigException("no data set is given; name a FILE, or a --recipe with data.json");
        }
        return named;
    }

    /** Reads the records; the caller closes them. */
    LlavaData read(Policy policy) {
        return LlavaFiles.read(file(), policy, questionRows(), folder());
    }

    /** Reads the records of the file, or of all data sets of the recipe; the caller closes them. */
    LlavaData read(Policy policy, DataSets.Take take) {
        TrainConfig known = config();
        return file == null && known != null && known.data().sets() != null
                ? DataSets.read(known.data(), policy, questionRows(), take, known.seed())
                : read(policy);
    }

    private QuestionRows questionRows() {
        TrainConfig known = config();
        QuestionRows rows = known == null ? QuestionRows.STANDARD : known.data().questionRows();
        return new QuestionRows(
                rows.mergeByImage() && !noMerge,
                responseFormat == null ? rows.responseFormat() : QuestionRows.named(responseFormat));
    }

    /** Opens the images of the records. */
    Images images(LlavaData data) {
        TrainConfig known = config();
        if (images != null && !data.parts().isEmpty()) {
            throw new ConfigException(
                    "--images names one folder, but each data set of the recipe has its own; remove it");
        }
        return data.images(
                folder(), followSymlinks || (known != null && known.data().followSymlinks()));
    }

    private @Nullable Path folder() {
        TrainConfig known = config();
        return images != null || known == null ? images : known.data().images();
    }

    /** What becomes of an image's orientation tag. */
    ExifOrientation orientation() {
        TrainConfig known = config();
        return known == null ? ExifOrientation.IGNORE : known.data().orientation();
    }

    /** Makes prompts from records; null if no tokenizer is known. */
    @Nullable
    SamplePrompts prompts() {
        TrainConfig known = config();
        Path model = tokenizer != null || known == null ? tokenizer : new RecipeModel(known).tokenizer();
        if (model == null) {
            return null;
        }
        ConversationTemplate conversation = template != null
                ? ConversationTemplate.named(template)
                : known == null ? ConversationTemplate.V1 : known.data().conversationTemplate();
        int longest = maxLength != null
                ? maxLength
                : known == null ? MAX_LENGTH : known.data().maxLength();
        return new SamplePrompts(
                new PromptBuilder(SentencePieceTokenizer.load(model), conversation),
                longest,
                shape().minTokensPerImage());
    }

    /**
     * {@link #prompts} if they are needed.
     *
     * @throws ConfigException if no tokenizer is known
     */
    SamplePrompts requirePrompts() {
        SamplePrompts prompts = prompts();
        if (prompts == null) {
            throw new ConfigException("no tokenizer is known; give --tokenizer with a tokenizer.model, or --recipe");
        }
        return prompts;
    }

    /** Prepares images for the model. */
    ImagePreparation preparation() {
        return shape().imagePreparation();
    }

    /** The model of the recipe; null if there is no recipe or the model's files do not exist. */
    @Nullable
    LlavaConfig model() {
        TrainConfig known = config();
        return known == null ? null : new RecipeModel(known).llava();
    }

    /** How the model sees images. */
    ImageViews views() {
        LlavaConfig shape = shape();
        return new ImageViews(shape.imagePreparation(), orientation(), shape.minTokensPerImage());
    }

    /** A model that reads images as the recipe's does; its language model may be another. */
    private LlavaConfig shape() {
        LlavaConfig model = model();
        if (model != null && imageSize == null) {
            return model;
        }
        TrainConfig known = config();
        LlavaConfig usual = LlavaConfig.LLAVA_1_5_7B;
        return known == null
                ? new LlavaConfig(
                        vision(),
                        usual.text(),
                        usual.projectorType(),
                        usual.selectLayer(),
                        usual.keepCls(),
                        usual.aspectMode(),
                        -1,
                        MAX_LENGTH)
                : known.model()
                        .toLlava(
                                vision(),
                                usual.text(),
                                known.data().imageAspectRatio().mode(),
                                known.data().maxLength());
    }

    private VisionConfig vision() {
        TrainConfig known = config();
        VisionConfig fromRecipe = known == null ? null : new RecipeModel(known).vision();
        VisionConfig vision = fromRecipe == null ? VisionConfig.CLIP_VIT_L_336 : fromRecipe;
        if (imageSize == null) {
            return vision;
        }
        if (imageSize < vision.patchSize()) {
            throw new ConfigException("--image-size must be at least " + vision.patchSize() + ", not " + imageSize);
        }
        return vision.withImageSize(imageSize / vision.patchSize() * vision.patchSize());
    }
}
