package io.llava4j.train.data.mixture;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.text.SentencePieceTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The inputs of a mixture: raw files, images, a tokenizer. */
public final class MixtureInputs {
    private MixtureInputs() {}

    /**
     * Checks that all files and folders of a recipe exist.
     *
     * @throws ConfigException if a rule needs a tokenizer and the recipe names none
     * @throws DataException naming what is missing
     */
    public static void require(MixtureRecipe recipe) {
        for (String name : recipe.included()) {
            for (Map.Entry<String, Path> file : source(recipe, name).files().entrySet()) {
                Path path = recipe.file(file.getValue());
                if (!Files.isRegularFile(path)) {
                    throw new DataException(
                            "%s does not exist; it is file %s of source %s: download it (docs/data.md says where), or leave the source out with --set sources.%s.include=false"
                                    .formatted(path, file.getKey(), name, name));
                }
            }
            if (recipe.countsTokens(name) && recipe.tokenizer() == null) {
                throw new ConfigException(
                        "tokenizer is missing; name the tokenizer that counts the tokens of source %s, or set %s.max-tokens to 0"
                                .formatted(name, name));
            }
        }
        Path images = recipe.images();
        if (images != null && !Files.isDirectory(images)) {
            throw new DataException("image folder %s does not exist; correct the path, or remove images from the recipe"
                    .formatted(images));
        }
    }

    /** The tokenizer that counts tokens; null if no source needs it. */
    public static @Nullable SentencePieceTokenizer tokenizer(MixtureRecipe recipe) {
        Path tokenizer = recipe.tokenizer();
        return tokenizer != null && recipe.included().stream().anyMatch(recipe::countsTokens)
                ? SentencePieceTokenizer.load(tokenizer)
                : null;
    }

    /** Size of a source's raw files in bytes. */
    static long bytes(MixtureRecipe recipe, String name) throws IOException {
        long bytes = 0;
        for (Path file : source(recipe, name).files().values()) {
            bytes += Files.size(recipe.file(file));
        }
        return bytes;
    }

    private static MixtureRecipe.Source source(MixtureRecipe recipe, String name) {
        return Objects.requireNonNull(recipe.sources().get(name));
    }
}
