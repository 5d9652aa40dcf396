package io.llava4j.checkpoint.gguf;

import io.llava4j.CheckpointException;
import io.llava4j.checkpoint.huggingface.ChatTemplate;
import io.llava4j.checkpoint.huggingface.TokenizerFiles;
import io.llava4j.model.config.TextConfig;
import io.llava4j.text.AddedToken;
import io.llava4j.text.PieceType;
import io.llava4j.text.SentencePieceModel;
import io.llava4j.text.SentencePieceTokenizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The vocabulary as GGUF metadata. llama.cpp needs a token for every row of the embedding table, so rows after the
 * vocabulary get placeholder names.
 */
public final class GgufTokenizer {
    static final String BOS = "tokenizer.ggml.bos_token_id";
    static final String EOS = "tokenizer.ggml.eos_token_id";
    static final String PAD = "tokenizer.ggml.padding_token_id";

    private static final String EOT = "tokenizer.ggml.eot_token_id";
    private static final String EOM = "tokenizer.ggml.eom_token_id";
    private static final String ALL_EOS = "llava4j.eos_token_ids";
    private static final String UNK = "tokenizer.ggml.unknown_token_id";
    private static final String MODEL = "tokenizer.ggml.model";
    private static final String TOKENS = "tokenizer.ggml.tokens";
    private static final String SCORES = "tokenizer.ggml.scores";
    private static final String TYPES = "tokenizer.ggml.token_type";
    private static final String LEGACY = "llava4j.tokenizer.legacy";
    private static final String SENTENCE_PIECE = "llama";
    private static final String NONE = "no_vocab";

    /** What LLaMA's tokenizer does; llama.cpp obeys other values. */
    private static final Map<String, Object> FLAGS = Map.of(
            "tokenizer.ggml.add_bos_token", true,
            "tokenizer.ggml.add_eos_token", false,
            "tokenizer.ggml.add_space_prefix", true,
            "tokenizer.ggml.remove_extra_whitespaces", false);

    private static final int USER_DEFINED = 4;
    private static final int UNUSED = 5;

    private GgufTokenizer() {}

    /**
     * Adds the keys of the vocabulary.
     *
     * @param tokenizer null if the model has none
     * @param imageToken id of {@code <image>}; -1 where there is none
     * @throws CheckpointException if the vocabulary has more pieces than the embedding table has rows
     */
    public static void addTo(
            Map<String, Object> keys, TextConfig text, @Nullable SentencePieceTokenizer tokenizer, int imageToken) {
        keys.put(MODEL, tokenizer == null ? NONE : SENTENCE_PIECE);
        keys.put(BOS, text.bosTokenId());
        keys.put(EOS, text.eosTokenId());
        keys.put(PAD, text.padTokenId());
        if (!text.moreEosTokenIds().isEmpty()) {
            keys.put(EOT, text.moreEosTokenIds().getFirst());
            keys.put(ALL_EOS, text.eosTokenIds().stream().mapToInt(id -> id).toArray());
        }
        if (tokenizer == null) {
            return;
        }
        SentencePieceModel model = tokenizer.model();
        int pieces = model.pieces().size();
        if (pieces > text.vocabSize()) {
            throw new CheckpointException("the tokenizer has %d pieces but the embedding table only %d rows; "
                            .formatted(pieces, text.vocabSize())
                    + "take the tokenizer.model that belongs to the checkpoint");
        }
        List<String> tokens = new ArrayList<>(model.pieces());
        float[] scores = new float[text.vocabSize()];
        int[] types = new int[text.vocabSize()];
        System.arraycopy(model.scores(), 0, scores, 0, pieces);
        Map<Integer, AddedToken> added = new HashMap<>();
        tokenizer.addedTokens().forEach(token -> added.put(token.id(), token));
        for (int id = 0; id < text.vocabSize(); id++) {
            AddedToken own = added.get(id);
            if (id < pieces) {
                types[id] = model.types().get(id).code();
            } else if (id == imageToken || id == text.padTokenId()) {
                tokens.add(id == imageToken ? TokenizerFiles.IMAGE : TokenizerFiles.PAD);
                types[id] = PieceType.CONTROL.code();
            } else if (own != null) {
                tokens.add(own.content());
                types[id] = own.special() ? PieceType.CONTROL.code() : USER_DEFINED;
            } else {
                tokens.add("[PAD%d]".formatted(id));
                types[id] = UNUSED;
            }
        }
        keys.put("tokenizer.ggml.pre", "default");
        keys.put(TOKENS, tokens);
        keys.put(SCORES, scores);
        keys.put(TYPES, types);
        keys.put(UNK, model.unkId());
        keys.put("tokenizer.ggml.add_bos_token", true);
        keys.put("tokenizer.ggml.add_eos_token", false);
        keys.put("tokenizer.ggml.add_space_prefix", true);
        keys.put("tokenizer.chat_template", ChatTemplate.V1);
        keys.put(LEGACY, tokenizer.legacy());
    }

    /**
     * The tokenizer embedded in a file; empty if there is none.
     *
     * @throws CheckpointException if it is not a LLaMA tokenizer
     */
    public static Optional<SentencePieceTokenizer> read(GgufMetadata keys) {
        String kind = keys.string(MODEL).orElse(NONE);
        if (kind.equals(NONE)) {
            return Optional.empty();
        }
        if (!kind.equals(SENTENCE_PIECE)) {
            throw keys.bad(MODEL, SENTENCE_PIECE);
        }
        FLAGS.forEach(keys::requireAbsentOr);
        List<String> tokens = list(keys, TOKENS, String.class);
        List<Double> scores = list(keys, SCORES, Double.class);
        List<Long> types = list(keys, TYPES, Long.class);
        if (scores.size() != tokens.size() || types.size() != tokens.size()) {
            throw new CheckpointException("%s: %d tokens have %d scores and %d types; convert the model again"
                    .formatted(keys.file(), tokens.size(), scores.size(), types.size()));
        }
        int bos = token(keys, BOS, 1, tokens.size());
        int eos = token(keys, EOS, 2, tokens.size());
        int pieces = 1 + Math.max(bos, eos);
        for (int id = pieces; id < tokens.size(); id++) {
            if (isPiece(types.get(id))) {
                pieces = id + 1;
            }
        }
        List<PieceType> pieceTypes = new ArrayList<>();
        float[] pieceScores = new float[pieces];
        for (int id = 0; id < pieces; id++) {
            pieceTypes.add(type(keys, id, types.get(id)));
            pieceScores[id] = scores.get(id).floatValue();
        }
        int pad = keys.integer(PAD).orElse(-1);
        SentencePieceModel model = new SentencePieceModel(
                List.copyOf(tokens.subList(0, pieces)),
                pieceScores,
                pieceTypes,
                keys.integer(UNK).orElse(0),
                bos,
                eos,
                pad < pieces ? pad : -1,
                pieceTypes.contains(PieceType.BYTE));
        // Parsing it again applies the checks of a tokenizer.model.
        SentencePieceModel checked = SentencePieceModel.parse(model.toBytes(), "in " + keys.file());
        return Optional.of(SentencePieceTokenizer.of(checked, keys.flag(LEGACY, true), added(tokens, types, pieces)));
    }

    /** Ids beside {@link #EOS} that end an answer for llama.cpp. */
    static List<Integer> moreEosTokenIds(GgufMetadata keys) {
        Set<Integer> ids = new LinkedHashSet<>();
        for (String key : List.of(EOT, EOM)) {
            keys.integer(key).ifPresent(ids::add);
        }
        keys.list(ALL_EOS, Long.class).orElse(List.of()).forEach(id -> ids.add(id.intValue()));
        ids.removeIf(id -> id < 0);
        ids.remove(keys.integer(EOS).orElse(2));
        return List.copyOf(ids);
    }

    private static List<AddedToken> added(List<String> tokens, List<Long> types, int pieces) {
        List<AddedToken> added = new ArrayList<>();
        for (int id = pieces; id < tokens.size(); id++) {
            boolean special = types.get(id) == PieceType.CONTROL.code();
            if (special || types.get(id) == USER_DEFINED) {
                added.add(new AddedToken(id, tokens.get(id), special));
            }
        }
        return added;
    }

    private static int token(GgufMetadata keys, String key, int absent, int tokens) {
        int id = keys.integer(key).orElse(absent);
        if (id < 0 || id >= tokens) {
            throw keys.bad(key, "the id of one of its %d tokens".formatted(tokens));
        }
        return id;
    }

    /** Control tokens after the last of these were added to the vocabulary later. */
    private static boolean isPiece(long type) {
        return type == PieceType.NORMAL.code() || type == PieceType.BYTE.code() || type == PieceType.UNKNOWN.code();
    }

    private static PieceType type(GgufMetadata keys, int id, long code) {
        for (PieceType type : PieceType.values()) {
            if (type.code() == code) {
                return type;
            }
        }
        throw new CheckpointException(
                "%s: token %d is of kind %d, which LLaMA's vocabulary does not have".formatted(keys.file(), id, code));
    }

    private static <T> List<T> list(GgufMetadata keys, String key, Class<T> type) {
        return keys.list(key, type)
                .orElseThrow(() -> new CheckpointException(
                        "%s: key %s is missing; convert the model again".formatted(keys.file(), key)));
    }
}
