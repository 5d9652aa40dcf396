package io.llava4j.app.cli;

import io.llava4j.ConfigException;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.image.AspectMode;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.train.recipe.TrainConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The configuration of the model that a training recipe names, read from the files that exist. */
record RecipeModel(TrainConfig config) {
    /** The whole model; null if its files do not exist. */
    @Nullable
    LlavaConfig llava() {
        Path base = config.model().base();
        if (base != null) {
            return Files.isDirectory(base) && Checkpoint.kindOf(base) instanceof ModelKind.Llava llava
                    ? config.model()
                            .toLlava(llava.config(), aspect(), config.data().maxLength())
                    : null;
        }
        VisionConfig vision = vision();
        Path language = config.model().languageModel();
        if (vision == null || language == null || !Files.isDirectory(language)) {
            return null;
        }
        TextConfig text = Checkpoint.kindOf(language) instanceof ModelKind.Llama llama ? llama.text() : null;
        return text == null
                ? null
                : config.model().toLlava(vision, text, aspect(), config.data().maxLength());
    }

    private AspectMode aspect() {
        return config.data().imageAspectRatio().mode();
    }

    /** The vision tower; null if its files do not exist. */
    @Nullable
    VisionConfig vision() {
        Path base = config.model().base();
        Path folder = base != null ? base : config.model().visionTower();
        if (folder == null || !Files.isDirectory(folder)) {
            return null;
        }
        return switch (Checkpoint.kindOf(folder)) {
            case ModelKind.Llava llava -> llava.config().vision();
            case ModelKind.Clip clip -> clip.vision();
            default -> null;
        };
    }

    /**
     * File or folder of the tokenizer.
     *
     * @throws ConfigException if it does not exist
     */
    Path tokenizer() {
        Path tokenizer = config.model().languageFolder();
        if (!Files.exists(tokenizer)) {
            throw new ConfigException(
                    "the recipe's tokenizer %s does not exist; give --tokenizer with a tokenizer.model"
                            .formatted(tokenizer));
        }
        return tokenizer;
    }
}
