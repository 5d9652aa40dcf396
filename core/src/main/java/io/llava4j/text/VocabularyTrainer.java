package io.llava4j.text;

import io.llava4j.CheckpointException;
import io.llava4j.DataException;
import io.llava4j.io.AtomicFiles;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Trains a SentencePiece BPE vocabulary with LLaMA's settings: byte fallback, dummy prefix, identity normalisation,
 * digits split, no piece across a space. Pieces in order: {@code <unk> <s> </s>}, 256 bytes, merges in the order they
 * were learnt, characters by frequency; scores of the last two kinds count down from 0. The same texts in any order
 * give the same vocabulary.
 */
public final class VocabularyTrainer {
    /** Special tokens and bytes, which every vocabulary has. */
    private static final int RESERVED = 3 + 256;

    /** Smallest vocabulary: one learnt piece. */
    public static final int MIN_SIZE = RESERVED + 1;

    /** Share of the text whose characters get their own piece, as in SentencePiece; rarer ones fall back to bytes. */
    private static final double CHARACTER_COVERAGE = 0.9995;

    private VocabularyTrainer() {}

    /**
     * Trains a vocabulary and writes {@code tokenizer.model} and {@code tokenizer_config.json} (not legacy, padding is
     * the unknown token); each file appears whole or not at all.
     *
     * @param texts to train on; a U+2581 counts as a space, a newline ends a unit
     * @param size number of pieces, at least {@value #MIN_SIZE}
     * @param dir where to write; made if missing
     * @return the vocabulary, loaded from what was written
     * @throws CheckpointException if the files cannot be written
     * @throws DataException if the texts do not give that many pieces; the message says how many they do give
     */
    public static SentencePieceTokenizer train(Iterator<String> texts, int size, Path dir) {
        if (size < MIN_SIZE) {
            throw new IllegalArgumentException(
                    "a vocabulary of %d pieces is too small; it needs at least %d".formatted(size, MIN_SIZE));
        }
        TrainingUnits units = new TrainingUnits();
        texts.forEachRemaining(units::add);
        int free = size - RESERVED;
        List<String> pieces = pieces(units, frequentCharacters(units, Math.max(1, free / 2)), RESERVED, size);
        return written(dir, model(pieces), config(false).getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Adds pieces to a vocabulary for characters that it spells in bytes, and writes it as {@link #train} does. Its own pieces
     * keep ids and scores, so a language model that has learnt them can be trained further.
     *
     * @param from {@code tokenizer.model} or its folder
     * @param texts to train on; only their unknown characters count
     * @param size number of pieces, old and new
     * @throws DataException if the texts do not give that many pieces, and the message says how many they do give; or if the
     *     vocabulary has added tokens, which would be lost
     */
    public static SentencePieceTokenizer extend(Path from, Iterator<String> texts, int size, Path dir) {
        SentencePieceTokenizer old = SentencePieceTokenizer.load(from);
        if (!old.addedTokens().isEmpty()) {
            throw new DataException(
                    "%s has added tokens, such as '%s', which an extended vocabulary would lose; name one without"
                            .formatted(from, old.addedTokens().getFirst().content()));
        }
        SentencePieceModel model = old.model();
        Set<String> known = new HashSet<>(model.pieces());
        if (size <= known.size()) {
            throw new IllegalArgumentException(
                    "a vocabulary of %d pieces is no extension of one with %d".formatted(size, known.size()));
        }
        TrainingUnits units = new TrainingUnits();
        texts.forEachRemaining(text -> units.add(unknown(text, known)));
        List<String> characters = frequentCharacters(units, size).stream()
                .filter(character -> !known.contains(character))
                .limit(size - known.size())
                .toList();
        List<String> pieces = new ArrayList<>(model.pieces());
        pieces.addAll(pieces(units, characters, known.size(), size));
        float[] scores = Arrays.copyOf(model.scores(), size);
        List<PieceType> types = new ArrayList<>(model.types());
        float lowest = Float.POSITIVE_INFINITY;
        for (float score : model.scores()) {
            lowest = Math.min(lowest, score);
        }
        for (int id = known.size(); id < size; id++) {
            scores[id] = lowest - 1 - (id - known.size());
            types.add(PieceType.NORMAL);
        }
        SentencePieceModel extended = new SentencePieceModel(
                pieces,
                scores,
                types,
                model.unkId(),
                model.bosId(),
                model.eosId(),
                model.padId(),
                model.byteFallback());
        byte[] config = config(old.legacy()).getBytes(StandardCharsets.UTF_8);
        return written(dir, extended.toBytes(), config);
    }

    /** Runs of characters that no piece consists of, in lines of their own. */
    private static String unknown(String text, Set<String> known) {
        StringBuilder runs = new StringBuilder("\n");
        text.codePoints()
                .map(SentencePieceTokenizer::normalised)
                .mapToObj(Character::toString)
                .forEach(character -> runs.append(known.contains(character) ? "\n" : character));
        return runs.toString();
    }

    /**
     * New pieces: merges, then characters.
     *
     * @param before pieces that the vocabulary has already
     */
    private static List<String> pieces(TrainingUnits units, List<String> characters, int before, int size) {
        List<String> pieces = new ArrayList<>(new MergeLearner(units).learn(size - before - characters.size()));
        pieces.addAll(characters);
        int found = before + pieces.size();
        if (found < size) {
            throw new DataException(
                    "the texts give only %d pieces instead of %d; ask for a vocabulary of %d or give more text"
                            .formatted(found, size, found));
        }
        return pieces;
    }

    private static SentencePieceTokenizer written(Path dir, byte[] model, byte[] config) {
        AtomicFiles.write(dir.resolve(SentencePieceTokenizer.MODEL_FILE), model);
        AtomicFiles.write(dir.resolve(TokenizerConfig.FILE), config);
        return SentencePieceTokenizer.load(dir);
    }

    private static List<String> frequentCharacters(TrainingUnits units, int limit) {
        Map<String, Long> counts = new TreeMap<>();
        long total = 0;
        for (Map.Entry<String, Long> unit : units.entries()) {
            for (int codePoint : unit.getKey().codePoints().toArray()) {
                counts.merge(Character.toString(codePoint), unit.getValue(), Long::sum);
                total += unit.getValue();
            }
        }
        List<Map.Entry<String, Long>> byFrequency = new ArrayList<>(counts.entrySet());
        byFrequency.sort(Map.Entry.<String, Long>comparingByValue(Comparator.reverseOrder())
                .thenComparing(Map.Entry.comparingByKey()));
        List<String> kept = new ArrayList<>();
        long covered = 0;
        for (Map.Entry<String, Long> character : byFrequency) {
            if (kept.size() == limit || covered >= CHARACTER_COVERAGE * total) {
                break;
            }
            kept.add(character.getKey());
            covered += character.getValue();
        }
        return kept;
    }

    /** Field numbers are those of sentencepiece_model.proto. */
    private static byte[] model(List<String> learnt) {
        ProtobufWriter model = new ProtobufWriter();
        model.message(1, piece("<unk>", 0, PieceType.UNKNOWN));
        model.message(1, piece("<s>", 0, PieceType.CONTROL));
        model.message(1, piece("</s>", 0, PieceType.CONTROL));
        for (int b = 0; b < 256; b++) {
            model.message(1, piece("<0x%02X>".formatted(b), 0, PieceType.BYTE));
        }
        for (int rank = 0; rank < learnt.size(); rank++) {
            model.message(1, piece(learnt.get(rank), -rank, PieceType.NORMAL));
        }
        ProtobufWriter trainer = new ProtobufWriter()
                .varint(3, SentencePieceModel.MODEL_TYPE_BPE)
                .varint(4, RESERVED + learnt.size())
                .number(10, (float) CHARACTER_COVERAGE)
                .bool(25, true)
                .bool(35, true);
        ProtobufWriter normalizer = new ProtobufWriter()
                .string(1, "identity")
                .bool(3, true)
                .bool(4, false)
                .bool(5, true);
        return model.message(2, trainer).message(3, normalizer).toByteArray();
    }

    private static ProtobufWriter piece(String text, float score, PieceType type) {
        return new ProtobufWriter().string(1, text).number(2, score).varint(3, type.code);
    }

    private static String config(boolean legacy) {
        return """
                {
                  "add_bos_token": true,
                  "add_eos_token": false,
                  "bos_token": "<s>",
                  "eos_token": "</s>",
                  "unk_token": "<unk>",
                  "pad_token": "<unk>",
                  "clean_up_tokenization_spaces": false,
                  "legacy": %s,
                  "tokenizer_class": "LlamaTokenizer"
                }
                """.formatted(legacy);
    }
}
