package io.llava4j.checkpoint.huggingface;

import io.llava4j.io.AtomicFiles;
import io.llava4j.io.StrictJson;
import io.llava4j.text.AddedToken;
import io.llava4j.text.SentencePieceTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import tools.jackson.databind.node.ObjectNode;

/** The tokenizer files of a model folder, as transformers reads them. */
public final class TokenizerFiles {
    /** The image token that llava-hf models add to LLaMA's vocabulary (docs/reference/model.md#image-token-in-transformers). */
    public static final String IMAGE = "<image>";

    /** The padding token that llava-hf models add to LLaMA's vocabulary. */
    public static final String PAD = "<pad>";

    static final String CONFIG = "tokenizer_config.json";
    private static final List<String> ALL = List.of(
            SentencePieceTokenizer.MODEL_FILE,
            CONFIG,
            TokenizerJson.FILE,
            "special_tokens_map.json",
            "added_tokens.json",
            "chat_template.json",
            "chat_template.jinja");

    private TokenizerFiles() {}

    /** Copies the tokenizer files that exist in {@code from}. */
    public static void copy(Path from, Path to) throws IOException {
        for (String name : ALL) {
            if (Files.exists(from.resolve(name))) {
                Files.copy(from.resolve(name), to.resolve(name), StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    /** Writes LLaMA's own vocabulary. */
    public static void write(Path directory, SentencePieceTokenizer tokenizer) {
        AtomicFiles.write(
                directory.resolve(SentencePieceTokenizer.MODEL_FILE),
                tokenizer.model().toBytes());
        ObjectNode config = config(tokenizer);
        config.put("pad_token", tokenizer.piece(tokenizer.padId()));
        config.put("padding_side", "right");
        if (!tokenizer.addedTokens().isEmpty()) {
            SequencedMap<String, Integer> ids = new LinkedHashMap<>();
            addTokens(config.putObject("added_tokens_decoder"), ids, tokenizer.addedTokens());
            json(directory.resolve("added_tokens.json"), idNode(ids));
        }
        json(directory.resolve(CONFIG), config);
        json(
                directory.resolve("special_tokens_map.json"),
                specialTokens(tokenizer, tokenizer.piece(tokenizer.padId())));
    }

    /** Adds the tokens beyond the vocabulary to a configuration; those in {@code ids} are there already. */
    private static void addTokens(ObjectNode decoder, SequencedMap<String, Integer> ids, List<AddedToken> tokens) {
        for (AddedToken token : tokens) {
            if (!ids.containsKey(token.content()) && !ids.containsValue(token.id())) {
                ObjectNode described = decoder.putObject(Integer.toString(token.id()));
                describe(described, token.content());
                described.put("special", token.special());
                ids.put(token.content(), token.id());
            }
        }
    }

    /**
     * Writes the vocabulary with the added tokens of llava-hf models, and the files of the processor.
     *
     * @param imageToken id of {@code <image>}
     * @param padToken id of the padding: that of {@code <pad>}, or of a token of the vocabulary
     */
    public static void writeWithImageToken(
            Path directory, SentencePieceTokenizer tokenizer, int imageToken, int padToken) {
        AtomicFiles.write(
                directory.resolve(SentencePieceTokenizer.MODEL_FILE),
                tokenizer.model().toBytes());
        boolean ownPad = padToken < tokenizer.vocabSize();
        String pad = ownPad ? tokenizer.piece(padToken) : PAD;
        ObjectNode config = config(tokenizer);
        config.put("pad_token", pad);
        config.put("padding_side", "left");
        config.put("processor_class", "LlavaProcessor");
        config.put("image_token", IMAGE);
        config.put("chat_template", ChatTemplate.V1);
        config.putObject("extra_special_tokens").put("image_token", IMAGE);
        ObjectNode added = config.putObject("added_tokens_decoder");
        SequencedMap<String, Integer> ids = new LinkedHashMap<>();
        for (int id : new int[] {tokenizer.unkId(), tokenizer.bosId(), tokenizer.eosId()}) {
            describe(added.putObject(Integer.toString(id)), tokenizer.piece(id));
        }
        describe(added.putObject(Integer.toString(imageToken)), IMAGE);
        ids.put(IMAGE, imageToken);
        if (!ownPad) {
            describe(added.putObject(Integer.toString(padToken)), PAD);
            ids.put(PAD, padToken);
        }
        addTokens(added, ids, tokenizer.addedTokens());
        json(directory.resolve(CONFIG), config);
        json(directory.resolve("added_tokens.json"), idNode(ids));
        json(directory.resolve(TokenizerJson.FILE), TokenizerJson.of(tokenizer, ids));
        json(directory.resolve("special_tokens_map.json"), specialTokens(tokenizer, pad));
    }

    private static ObjectNode idNode(SequencedMap<String, Integer> ids) {
        ObjectNode node = StrictJson.MAPPER.createObjectNode();
        ids.forEach(node::put);
        return node;
    }

    /** Describes a special token. */
    static void describe(ObjectNode token, String text) {
        token.put("content", text);
        token.put("lstrip", false);
        token.put("normalized", false);
        token.put("rstrip", false);
        token.put("single_word", false);
        token.put("special", true);
    }

    private static ObjectNode config(SentencePieceTokenizer tokenizer) {
        ObjectNode config = StrictJson.MAPPER.createObjectNode();
        config.put("tokenizer_class", "LlamaTokenizer");
        config.put("add_bos_token", true);
        config.put("add_eos_token", false);
        config.put("clean_up_tokenization_spaces", false);
        config.put("legacy", tokenizer.legacy());
        config.setAll(specialTokens(tokenizer, tokenizer.piece(tokenizer.padId())));
        return config;
    }

    private static ObjectNode specialTokens(SentencePieceTokenizer tokenizer, String pad) {
        ObjectNode tokens = StrictJson.MAPPER.createObjectNode();
        tokens.put("bos_token", tokenizer.piece(tokenizer.bosId()));
        tokens.put("eos_token", tokenizer.piece(tokenizer.eosId()));
        tokens.put("unk_token", tokenizer.piece(tokenizer.unkId()));
        tokens.put("pad_token", pad);
        return tokens;
    }

    private static void json(Path file, ObjectNode content) {
        AtomicFiles.write(file, StrictJson.pretty(content));
    }
}
