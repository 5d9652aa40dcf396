package io.llava4j.text;

import io.llava4j.CheckpointException;
import io.llava4j.io.StrictJson;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/**
 * LLaMA's vocabulary from a tokenizer.json, which is all that transformers 5 saves. The tokenizers library ranks merges
 * of two pieces, SentencePiece scores the merged piece; a file whose merges go piece by piece says the same in both ways,
 * and any other is refused.
 *
 * @param model the vocabulary
 * @param legacy whether every segment after a special token begins with a dummy space
 */
record TokenizerJsonModel(SentencePieceModel model, boolean legacy) {
    static final String FILE = "tokenizer.json";

    private static final String BYTE_PIECE = "<0x[0-9A-F]{2}>";

    /** @throws CheckpointException if the file is damaged or holds another kind of tokenizer */
    static TokenizerJsonModel read(Path file) {
        JsonNode root = StrictJson.object(file);
        JsonNode bpe = root.path("model");
        if (!bpe.path("type").asString("BPE").equals("BPE")
                || !bpe.path("byte_fallback").asBoolean(false)
                || !bpe.path("vocab").isObject()) {
            throw unusable(file, "its model is not BPE with byte fallback, as LLaMA's");
        }
        TokenizerJsonSteps.requireThoseOfLlama(file, root);
        String unknown = bpe.path("unk_token").asString("<unk>");
        Map<String, Integer> ids = new HashMap<>();
        String[] pieces = new String[bpe.path("vocab").size()];
        for (Map.Entry<String, JsonNode> entry : bpe.path("vocab").properties()) {
            int id = entry.getValue().asInt(-1);
            if (id < 0 || id >= pieces.length || pieces[id] != null) {
                throw unusable(file, "its vocabulary does not number its pieces from 0");
            }
            pieces[id] = entry.getKey();
            ids.put(entry.getKey(), id);
        }
        List<PieceType> types = types(root, pieces, unknown);
        float[] scores = scores(file, bpe.path("merges"), ids, types);
        SentencePieceModel model = new SentencePieceModel(
                List.of(pieces),
                scores,
                types,
                ids.getOrDefault(unknown, 0),
                ids.getOrDefault("<s>", 1),
                ids.getOrDefault("</s>", 2),
                -1,
                true);
        // Parsing it again applies the checks of a tokenizer.model.
        return new TokenizerJsonModel(SentencePieceModel.parse(model.toBytes(), file.toString()), isLegacy(root));
    }

    private static List<PieceType> types(JsonNode root, String[] pieces, String unknown) {
        Set<String> special = new HashSet<>(Set.of("<s>", "</s>"));
        for (JsonNode token : root.path("added_tokens")) {
            if (token.path("special").asBoolean(false)) {
                special.add(token.path("content").asString(""));
            }
        }
        List<PieceType> types = new ArrayList<>();
        for (String piece : pieces) {
            types.add(
                    piece.equals(unknown)
                            ? PieceType.UNKNOWN
                            : special.contains(piece)
                                    ? PieceType.CONTROL
                                    : piece.matches(BYTE_PIECE) ? PieceType.BYTE : PieceType.NORMAL);
        }
        return types;
    }

    /** The first piece that merges make has the highest score; single characters, which none makes, have the lowest. */
    private static float[] scores(Path file, JsonNode merges, Map<String, Integer> ids, List<PieceType> types) {
        float[] scores = new float[types.size()];
        Arrays.fill(scores, -types.size());
        Set<String> made = new HashSet<>();
        String last = "";
        for (JsonNode merge : merges) {
            String text = merge.isArray() ? "" : merge.asString("");
            int space = text.indexOf(' ');
            if (merge.isArray() ? merge.size() != 2 : space < 1) {
                throw unusable(file, "a merge does not name two pieces");
            }
            String piece = merge.isArray()
                    ? merge.get(0).asString("") + merge.get(1).asString("")
                    : text.substring(0, space) + text.substring(space + 1);
            Integer id = ids.get(piece);
            if (id == null) {
                throw unusable(file, "a merge makes '%s', which is no piece".formatted(piece));
            }
            if (!piece.equals(last) && !made.add(piece)) {
                throw unusable(file, "its merges do not go piece by piece, as those of SentencePiece");
            }
            last = piece;
            scores[id] = -(made.size() - 1);
        }
        return scores;
    }

    /** Only the newer mode prepends a space to the text's first segment alone. */
    private static boolean isLegacy(JsonNode root) {
        return !root.path("pre_tokenizer").path("prepend_scheme").asString("").equals("first");
    }

    private static CheckpointException unusable(Path file, String why) {
        return new CheckpointException(
                "the tokenizer %s cannot be used: %s; take the tokenizer that belongs to a LLaMA model"
                        .formatted(file, why));
    }
}
