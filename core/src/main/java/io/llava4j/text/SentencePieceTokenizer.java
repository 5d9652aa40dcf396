package io.llava4j.text;

import io.llava4j.CheckpointException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * LLaMA's tokenizer: SentencePiece BPE with byte fallback over {@code tokenizer.model}, with the ids of Hugging Face's
 * slow LlamaTokenizer (docs/reference/model.md#tokenizer, docs/reference/conversation.md#legacy-tokenizers).
 *
 * <p>The text of a special token ({@code <s>}, {@code </s>}, {@code <unk>}) becomes its id and splits the text into
 * segments. <em>Legacy</em> mode puts a space before every segment, the newer mode only before a segment at the start of
 * the text; {@code tokenizer_config.json} says which mode a checkpoint was trained with. U+2581 means a space in the
 * vocabulary, so a U+2581 in the text decodes to a space; lone surrogates become U+FFFD. Immutable and thread-safe.
 */
public final class SentencePieceTokenizer {
    /** Name of the vocabulary file in a model folder. */
    public static final String MODEL_FILE = "tokenizer.model";

    private final SentencePieceModel model;
    private final BpeMerger merger;
    private final Map<String, Integer> specialTokens;
    private final List<AddedToken> addedTokens;
    private final int padId;
    private final boolean legacy;

    private SentencePieceTokenizer(
            SentencePieceModel model,
            BpeMerger merger,
            Map<String, Integer> specialTokens,
            List<AddedToken> addedTokens,
            int padId,
            boolean legacy) {
        this.model = model;
        this.merger = merger;
        this.specialTokens = specialTokens;
        this.addedTokens = addedTokens;
        this.padId = padId;
        this.legacy = legacy;
    }

    /**
     * Loads a vocabulary and, where present, the {@code tokenizer_config.json} beside it. Without one, or without its
     * {@code legacy} key, the tokenizer is in legacy mode; without a pad token in either file, padding is the unknown
     * token as in LLaVA's training.
     *
     * @param modelFileOrDir a {@code tokenizer.model} or {@code tokenizer.json}, or the folder that holds it
     * @throws CheckpointException if a file is missing, damaged or of another kind
     */
    public static SentencePieceTokenizer load(Path modelFileOrDir) {
        Path file = vocabularyFile(modelFileOrDir);
        TokenizerConfig config = TokenizerConfig.read(file.resolveSibling(TokenizerConfig.FILE));
        SentencePieceModel model;
        if (file.endsWith(TokenizerJsonModel.FILE)) {
            TokenizerJsonModel read = TokenizerJsonModel.read(file);
            model = read.model();
            config = config.withDefaultLegacy(read.legacy());
        } else {
            model = SentencePieceModel.read(file);
        }
        Path folder = Objects.requireNonNull(file.toAbsolutePath().getParent());
        return of(model, config, AddedTokens.read(folder, model.pieces()));
    }

    /** The file that holds a vocabulary: the one named, or of a folder tokenizer.model, else tokenizer.json. */
    public static Path vocabularyFile(Path modelFileOrDir) {
        if (!Files.isDirectory(modelFileOrDir)) {
            return modelFileOrDir;
        }
        Path model = modelFileOrDir.resolve(MODEL_FILE);
        Path json = modelFileOrDir.resolve(TokenizerJsonModel.FILE);
        return !Files.exists(model) && Files.exists(json) ? json : model;
    }

    /** Whether a folder holds a vocabulary. */
    public static boolean isIn(Path folder) {
        return Files.exists(vocabularyFile(folder));
    }

    /**
     * A tokenizer over a vocabulary that is not read from a {@code tokenizer.model}.
     *
     * @param model the vocabulary
     * @param legacy see the class comment
     */
    public static SentencePieceTokenizer of(SentencePieceModel model, boolean legacy) {
        return of(model, legacy, List.of());
    }

    /** As {@link #of(SentencePieceModel, boolean)}, with tokens beyond the vocabulary. */
    public static SentencePieceTokenizer of(SentencePieceModel model, boolean legacy, List<AddedToken> addedTokens) {
        return of(model, new TokenizerConfig(legacy, null), addedTokens);
    }

    private static SentencePieceTokenizer of(
            SentencePieceModel model, TokenizerConfig config, List<AddedToken> addedTokens) {
        String padToken = config.padToken();
        int namedPad = padToken == null ? -1 : model.pieces().indexOf(padToken);
        int padId = namedPad >= 0 ? namedPad : model.padId() >= 0 ? model.padId() : model.unkId();
        Map<String, Integer> specialTokens = new LinkedHashMap<>();
        for (int id : new int[] {model.bosId(), model.eosId(), model.unkId(), padId}) {
            specialTokens.put(model.pieces().get(id), id);
        }
        for (AddedToken token : addedTokens) {
            if (!token.content().equals(AddedTokens.IMAGE)) {
                specialTokens.putIfAbsent(token.content(), token.id());
            }
        }
        return new SentencePieceTokenizer(
                model, new BpeMerger(model), specialTokens, List.copyOf(addedTokens), padId, config.legacy());
    }

    /** A tokenizer over the same vocabulary in the given mode; shares all data. */
    public SentencePieceTokenizer withLegacy(boolean newLegacy) {
        return newLegacy == legacy
                ? this
                : new SentencePieceTokenizer(model, merger, specialTokens, addedTokens, padId, newLegacy);
    }

    /** Ids of {@code text} without a leading BOS; empty for an empty text. */
    public int[] encode(String text) {
        return encodeWithStarts(text).ids();
    }

    /** Ids of {@code text} after a BOS. */
    public int[] encodeWithBos(String text) {
        int[] ids = encode(text);
        int[] result = new int[ids.length + 1];
        result[0] = model.bosId();
        System.arraycopy(ids, 0, result, 1, ids.length);
        return result;
    }

    /** Ids of a text whose special tokens are ordinary characters; without BOS. */
    public int[] encodeOrdinary(String text) {
        Encoding.Builder out = new Encoding.Builder();
        encodeSegment(text, 0, true, out);
        return out.build().ids();
    }

    /** As {@link #encode}, with the position of every token in {@code text}. */
    Encoding encodeWithStarts(String text) {
        Encoding.Builder out = new Encoding.Builder();
        int begin = 0;
        for (Special special : findSpecialTokens(text)) {
            encodeSegment(text.substring(begin, special.begin), begin, legacy || begin == 0, out);
            out.add(special.id, special.begin);
            begin = special.end;
        }
        encodeSegment(text.substring(begin), begin, legacy || begin == 0, out);
        return out.build();
    }

    /**
     * Text of {@code ids}. The space that SentencePiece puts before the first word is removed; a byte sequence that is
     * not UTF-8 gives one U+FFFD per byte; ids beyond the vocabulary (padding rows of an embedding table) give no text.
     *
     * @param skipSpecial whether BOS, EOS, padding and unknown tokens are left out instead of written as their pieces
     * @throws IllegalArgumentException if an id is negative
     */
    public String decode(int[] ids, boolean skipSpecial) {
        StreamDecoder decoder = streamDecoder(skipSpecial);
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(decoder.accept(id));
        }
        return text.append(decoder.finish()).toString();
    }

    /** A decoder for tokens that arrive one by one; their texts add up to the result of {@link #decode}. */
    public StreamDecoder streamDecoder(boolean skipSpecial) {
        return new StreamDecoder(this, skipSpecial);
    }

    /** Size of the vocabulary in pieces. */
    public int vocabSize() {
        return model.pieces().size();
    }

    /** Id of the token that begins a sequence. */
    public int bosId() {
        return model.bosId();
    }

    /** Id of the token that ends an answer. */
    public int eosId() {
        return model.eosId();
    }

    /** Id of the unknown token, for characters that the vocabulary does not cover. */
    public int unkId() {
        return model.unkId();
    }

    /** Id of the token that pads the sequences of a batch. */
    public int padId() {
        return padId;
    }

    /** Whether every segment after a special token begins with a dummy space (see the class comment). */
    public boolean legacy() {
        return legacy;
    }

    /**
     * Text of one piece as the vocabulary holds it: U+2581 for a space, {@code <0xHH>} for a byte.
     *
     * @throws IndexOutOfBoundsException if {@code id} is outside the vocabulary
     */
    public String piece(int id) {
        AddedToken added = added(id);
        return added == null ? model.pieces().get(id) : added.content();
    }

    /**
     * Bytes that a token adds to an answer in UTF-8, which may be part of a character; null for a token without text
     * (a special one, an image, an id beyond the vocabulary). At the start of an answer {@link #decode} leaves out a leading
     * space.
     */
    public byte @Nullable [] bytes(int id) {
        AddedToken added = added(id);
        if (added != null) {
            boolean hasText = !added.special() && !added.content().equals(AddedTokens.IMAGE);
            return hasText ? added.content().getBytes(StandardCharsets.UTF_8) : null;
        }
        if (id >= vocabSize() || isSpecial(id)) {
            return null;
        }
        return model.types().get(id) == PieceType.BYTE
                ? new byte[] {(byte) model.byteValue(id)}
                : model.pieces().get(id).replace(BpeMerger.SPACE, ' ').getBytes(StandardCharsets.UTF_8);
    }

    /** The vocabulary with scores and types. */
    public SentencePieceModel model() {
        return model;
    }

    /** Tokens beyond the vocabulary, by id. */
    public List<AddedToken> addedTokens() {
        return addedTokens;
    }

    /** Number of ids: one above the highest of a piece or an added token. */
    public int idCount() {
        return addedTokens.isEmpty() ? vocabSize() : addedTokens.getLast().id() + 1;
    }

    /** The added token of that id, or null. */
    @Nullable
    AddedToken added(int id) {
        for (AddedToken token : addedTokens) {
            if (token.id() == id) {
                return token;
            }
        }
        return null;
    }

    boolean isSpecial(int id) {
        return model.types().get(id) == PieceType.CONTROL || id == model.unkId() || id == padId;
    }

    private record Special(int begin, int end, int id) {}

    private List<Special> findSpecialTokens(String text) {
        List<Special> found = new ArrayList<>();
        for (int at = 0; at < text.length(); ) {
            Special special = specialTokenAt(text, at);
            if (special == null) {
                at++;
            } else {
                found.add(special);
                at = special.end;
            }
        }
        return found;
    }

    private @Nullable Special specialTokenAt(String text, int at) {
        Special longest = null;
        for (Map.Entry<String, Integer> token : specialTokens.entrySet()) {
            int end = at + token.getKey().length();
            if (text.startsWith(token.getKey(), at) && (longest == null || end > longest.end)) {
                longest = new Special(at, end, token.getValue());
            }
        }
        return longest;
    }

    private void encodeSegment(String segment, int offset, boolean dummyPrefix, Encoding.Builder out) {
        if (segment.isEmpty()) {
            return;
        }
        StringBuilder normalised = new StringBuilder(segment.length() + 1);
        if (dummyPrefix) {
            normalised.append(BpeMerger.SPACE);
        }
        for (int i = 0; i < segment.length(); ) {
            int codePoint = segment.codePointAt(i);
            i += Character.charCount(codePoint);
            normalised.appendCodePoint(normalised(codePoint));
        }
        merger.encode(normalised.toString(), dummyPrefix ? offset - 1 : offset, offset, out);
    }

    /** The character the vocabulary is looked up with: U+2581 for a space, U+FFFD for a lone surrogate. */
    static int normalised(int codePoint) {
        if (codePoint == ' ') {
            return BpeMerger.SPACE;
        }
        boolean surrogate = codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE;
        return surrogate ? '\ufffd' : codePoint;
    }
}
