package io.llava4j.train.data.mixture;

import io.llava4j.DataException;
import io.llava4j.text.SentencePieceTokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Objects;

/** Hashes of everything a mixture depends on; equal hashes mean equal results. Raw files enter with size and time. */
public final class MixtureKeys {
    private final MixtureRecipe recipe;

    public MixtureKeys(MixtureRecipe recipe) {
        this.recipe = recipe;
    }

    /**
     * The hash of the whole mixture.
     *
     * @param form of the data files
     */
    public String whole(String form) {
        StringBuilder all = new StringBuilder();
        all.append(Manifest.VERSION)
                .append(recipe.name())
                .append(recipe.shuffle())
                .append(form);
        for (String name : recipe.included()) {
            all.append(source(name)).append(recipe.sample(name));
        }
        return hash(all.toString());
    }

    /** The hash of everything that a source's conversations depend on before a sample is drawn. */
    String source(String name) {
        MixtureRecipe.Source source = Objects.requireNonNull(recipe.sources().get(name));
        StringBuilder all = new StringBuilder();
        all.append(Manifest.VERSION).append(recipe.seed()).append(name).append(source);
        all.append(recipe.rulesOf(name).asMap()).append(recipe.badRecords()).append(recipe.images());
        for (Path file : source.files().values()) {
            append(all, recipe.file(file));
        }
        Path tokenizer = recipe.tokenizer();
        if (tokenizer != null && recipe.countsTokens(name)) {
            append(all, SentencePieceTokenizer.vocabularyFile(tokenizer));
        }
        return hash(all.toString());
    }

    /** The hash of the recipe with all its values. */
    String recipe() {
        return hash(recipe.toYaml());
    }

    private static void append(StringBuilder all, Path file) {
        try {
            all.append(file)
                    .append(Files.size(file))
                    .append(Files.getLastModifiedTime(file).toMillis());
        } catch (NoSuchFileException e) {
            throw new DataException(file + " does not exist; download it or correct the path", e);
        } catch (IOException e) {
            throw new DataException("%s cannot be read: %s".formatted(file, e.getMessage()), e);
        }
    }

    private static String hash(String text) {
        return HexFormat.of().formatHex(sha256().digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
