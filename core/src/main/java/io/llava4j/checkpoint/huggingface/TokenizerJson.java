package io.llava4j.checkpoint.huggingface;

import io.llava4j.io.StrictJson;
import io.llava4j.text.AddedToken;
import io.llava4j.text.PieceType;
import io.llava4j.text.SentencePieceModel;
import io.llava4j.text.SentencePieceTokenizer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The vocabulary as tokenizer.json, which the tokenizers library reads and transformers 5 requires. SentencePiece merges
 * the pair that gives the piece of the highest score; this format lists every pair that gives a piece, in that order.
 */
final class TokenizerJson {
    static final String FILE = "tokenizer.json";

    private static final String SPACE = "▁";

    private record Merge(int piece, int left, int right) {}

    private TokenizerJson() {}

    /**
     * The file's content.
     *
     * @param added texts and ids of special tokens after the vocabulary
     */
    static ObjectNode of(SentencePieceTokenizer tokenizer, SequencedMap<String, Integer> added) {
        SentencePieceModel model = tokenizer.model();
        ObjectNode root = StrictJson.MAPPER.createObjectNode();
        root.put("version", "1.0");
        root.putNull("truncation");
        root.putNull("padding");
        addedTokens(root.putArray("added_tokens"), tokenizer, added);
        spaces(root);
        beginning(root.putObject("post_processor"), tokenizer);
        decoder(root.putObject("decoder"));
        ObjectNode bpe = typed(root.putObject("model"), "BPE");
        bpe.putNull("dropout");
        bpe.put("unk_token", tokenizer.piece(tokenizer.unkId()));
        bpe.putNull("continuing_subword_prefix");
        bpe.putNull("end_of_word_suffix");
        bpe.put("fuse_unk", true);
        bpe.put("byte_fallback", model.types().contains(PieceType.BYTE));
        ObjectNode vocabulary = bpe.putObject("vocab");
        for (int id = 0; id < model.pieces().size(); id++) {
            vocabulary.put(model.pieces().get(id), id);
        }
        ArrayNode merges = bpe.putArray("merges");
        for (Merge merge : merges(model)) {
            merges.add(model.pieces().get(merge.left()) + " " + model.pieces().get(merge.right()));
        }
        return root;
    }

    private static ObjectNode typed(ObjectNode node, String type) {
        return node.put("type", type);
    }

    private static void addedTokens(ArrayNode tokens, SentencePieceTokenizer tokenizer, Map<String, Integer> added) {
        SentencePieceModel model = tokenizer.model();
        Set<Integer> ordinary = tokenizer.addedTokens().stream()
                .filter(token -> !token.special())
                .map(AddedToken::id)
                .collect(Collectors.toSet());
        Map<Integer, String> byId = new TreeMap<>();
        for (int id = 0; id < model.pieces().size(); id++) {
            PieceType type = model.types().get(id);
            if (type == PieceType.CONTROL || type == PieceType.UNKNOWN) {
                byId.put(id, model.pieces().get(id));
            }
        }
        added.forEach((text, id) -> byId.put(id, text));
        byId.forEach((id, text) -> {
            ObjectNode token = tokens.addObject().put("id", id);
            TokenizerFiles.describe(token, text);
            token.put("special", !ordinary.contains(id));
        });
    }

    /**
     * A space precedes the text and every text after a special token: LLaVA encodes the texts around an image separately
     * (docs/reference/conversation.md#tokenization), and this gives the same ids. A tokenizer that is not legacy puts none
     * after {@code </s>}, which the format cannot distinguish.
     */
    private static void spaces(ObjectNode root) {
        ArrayNode steps = typed(root.putObject("normalizer"), "Sequence").putArray("normalizers");
        typed(steps.addObject(), "Prepend").put("prepend", SPACE);
        replace(steps.addObject(), " ", SPACE);
        root.putNull("pre_tokenizer");
    }

    private static void replace(ObjectNode step, String what, String by) {
        typed(step, "Replace").putObject("pattern").put("String", what);
        step.put("content", by);
    }

    /** A text begins with {@code <s>}. */
    private static void beginning(ObjectNode template, SentencePieceTokenizer tokenizer) {
        String bos = tokenizer.piece(tokenizer.bosId());
        typed(template, "TemplateProcessing");
        ArrayNode single = template.putArray("single");
        special(single, bos, 0);
        sequence(single, "A", 0);
        ArrayNode pair = template.putArray("pair");
        special(pair, bos, 0);
        sequence(pair, "A", 0);
        special(pair, bos, 1);
        sequence(pair, "B", 1);
        ObjectNode token = template.putObject("special_tokens").putObject(bos);
        token.put("id", bos);
        token.putArray("ids").add(tokenizer.bosId());
        token.putArray("tokens").add(bos);
    }

    private static void special(ArrayNode parts, String token, int type) {
        parts.addObject().putObject("SpecialToken").put("id", token).put("type_id", type);
    }

    private static void sequence(ArrayNode parts, String name, int type) {
        parts.addObject().putObject("Sequence").put("id", name).put("type_id", type);
    }

    private static void decoder(ObjectNode decoder) {
        ArrayNode steps = typed(decoder, "Sequence").putArray("decoders");
        replace(steps.addObject(), SPACE, " ");
        typed(steps.addObject(), "ByteFallback");
        typed(steps.addObject(), "Fuse");
        ObjectNode strip = typed(steps.addObject(), "Strip");
        strip.put("content", " ");
        strip.put("start", 1);
        strip.put("stop", 0);
    }

    /** Every pair that gives a piece, in the order in which SentencePiece prefers them. */
    private static List<Merge> merges(SentencePieceModel model) {
        Map<String, Integer> ids = new HashMap<>();
        for (int id = 0; id < model.pieces().size(); id++) {
            if (model.types().get(id) == PieceType.NORMAL) {
                ids.put(model.pieces().get(id), id);
            }
        }
        List<Merge> merges = new ArrayList<>();
        ids.forEach((piece, id) -> {
            for (int at = piece.offsetByCodePoints(0, 1); at < piece.length(); at = piece.offsetByCodePoints(at, 1)) {
                Integer left = ids.get(piece.substring(0, at));
                Integer right = ids.get(piece.substring(at));
                if (left != null && right != null) {
                    merges.add(new Merge(id, left, right));
                }
            }
        });
        merges.sort(Comparator.comparingDouble((Merge merge) -> -model.scores()[merge.piece()])
                .thenComparingInt(Merge::piece)
                .thenComparingInt(Merge::left));
        return merges;
    }
}
