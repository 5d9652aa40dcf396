package io.llava4j.text;

import io.llava4j.CheckpointException;
import io.llava4j.io.FileErrors;
import io.llava4j.io.StrictJson;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;

/**
 * Reads the tokens that a model folder adds to its vocabulary: {@code added_tokens_decoder} of tokenizer_config.json,
 * added_tokens.json and {@code added_tokens} of tokenizer.json, which must agree.
 */
final class AddedTokens {
    /** The placeholder of images; it is spliced, never looked up. */
    static final String IMAGE = "<image>";

    private static final String PAD = "<pad>";

    private final int vocabulary;
    private final Map<Integer, AddedToken> tokens = new TreeMap<>();

    private AddedTokens(int vocabulary) {
        this.vocabulary = vocabulary;
    }

    /**
     * Reads the files of a folder.
     *
     * @param pieces of the vocabulary; tokens whose id is lower than their number are pieces
     * @return by id
     * @throws CheckpointException if a file is damaged or two give an id different texts, as does the
     *     tokenizer.json of another vocabulary
     */
    static List<AddedToken> read(Path folder, List<String> pieces) {
        AddedTokens added = new AddedTokens(pieces.size());
        Path config = folder.resolve(TokenizerConfig.FILE);
        Set<String> special = new HashSet<>(Set.of(IMAGE, PAD));
        if (Files.exists(config)) {
            JsonNode root = StrictJson.object(config);
            special.add(content(root.path("pad_token")));
            for (JsonNode token : root.path("additional_special_tokens")) {
                special.add(content(token));
            }
            for (Map.Entry<String, JsonNode> token :
                    root.path("added_tokens_decoder").properties()) {
                added.add(config, token.getKey(), token.getValue());
            }
        }
        Path json = folder.resolve(TokenizerJsonModel.FILE);
        if (Files.exists(json)) {
            JsonNode root = StrictJson.object(json);
            requireSamePieces(json, root.path("model").path("vocab"), pieces);
            for (JsonNode token : root.path("added_tokens")) {
                added.add(json, token.path("id").asString("-1"), token);
            }
        }
        Path ids = folder.resolve("added_tokens.json");
        if (Files.exists(ids)) {
            for (Map.Entry<String, JsonNode> token : StrictJson.object(ids).properties()) {
                int id = token.getValue().asInt(-1);
                AddedToken known = added.tokens.get(id);
                boolean isSpecial = known == null ? special.contains(token.getKey()) : known.special();
                added.add(ids, new AddedToken(id, token.getKey(), isSpecial));
            }
        }
        return new ArrayList<>(added.tokens.values());
    }

    /** Two vocabularies in one folder: transformers reads tokenizer.json, LLaVA tokenizer.model. */
    private static void requireSamePieces(Path json, JsonNode vocabulary, List<String> pieces) {
        for (Map.Entry<String, JsonNode> entry : vocabulary.properties()) {
            int id = entry.getValue().asInt(-1);
            if (id >= 0 && id < pieces.size() && !pieces.get(id).equals(entry.getKey())) {
                throw new CheckpointException(
                        "%s: piece %d is '%s', but %s beside it says '%s'; remove the one that is not the model's"
                                .formatted(
                                        json,
                                        id,
                                        FileErrors.shown(entry.getKey()),
                                        SentencePieceTokenizer.MODEL_FILE,
                                        FileErrors.shown(pieces.get(id))));
            }
        }
    }

    private static String content(JsonNode token) {
        return (token.isObject() ? token.path("content") : token).asString("");
    }

    private void add(Path file, String id, JsonNode token) {
        int number;
        try {
            number = Integer.parseInt(id);
        } catch (NumberFormatException e) {
            throw new CheckpointException("%s: the id of an added token is %s".formatted(file, id), e);
        }
        String content = content(token);
        for (String key : List.of("lstrip", "rstrip", "single_word")) {
            if (number >= vocabulary && token.path(key).asBoolean(false) && !content.equals(IMAGE)) {
                throw new CheckpointException("%s: the added token '%s' has %s true; llava4j needs false"
                        .formatted(file, FileErrors.shown(content), key));
            }
        }
        add(file, new AddedToken(number, content, token.path("special").asBoolean(false)));
    }

    private void add(Path file, AddedToken token) {
        if (token.id() < 0 || token.content().isEmpty()) {
            throw new CheckpointException(
                    "%s: an added token has no text or no id of 0 or more; copy the file again".formatted(file));
        }
        if (token.id() < vocabulary) {
            return;
        }
        AddedToken known = tokens.putIfAbsent(token.id(), token);
        if (known != null && !known.content().equals(token.content())) {
            throw new CheckpointException("%s: token %d is '%s', but another file of the tokenizer calls it '%s'"
                    .formatted(file, token.id(), token.content(), known.content()));
        }
    }
}
