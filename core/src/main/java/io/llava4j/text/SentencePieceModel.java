package io.llava4j.text;

import io.llava4j.CheckpointException;
import io.llava4j.io.ForeignContent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Content of a {@code tokenizer.model}: a SentencePiece BPE vocabulary without text normalisation, as LLaMA's and
 * Vicuna's (docs/reference/model.md#tokenizer). The index of a piece is its id.
 *
 * @param pieces text of every piece; U+2581 stands for a space
 * @param scores merge priority of every piece, higher first
 * @param types kind of every piece
 * @param unkId id of the unknown piece
 * @param bosId id that begins a sequence
 * @param eosId id that ends an answer
 * @param padId id that pads the sequences of a batch; -1 if the model names none
 * @param byteFallback whether characters outside the vocabulary become byte pieces
 */
public record SentencePieceModel(
        List<String> pieces,
        float[] scores,
        List<PieceType> types,
        int unkId,
        int bosId,
        int eosId,
        int padId,
        boolean byteFallback) {

    /** Real models are below 5 MB. */
    private static final long MAX_FILE_BYTES = 64L << 20;

    static final int MODEL_TYPE_BPE = 2;
    private static final Pattern BYTE_PIECE = Pattern.compile("<0x([0-9A-F]{2})>");

    /** @throws CheckpointException if the file cannot be read or is not a SentencePiece BPE model */
    public static SentencePieceModel read(Path file) {
        try {
            long size = Files.size(file);
            if (size > MAX_FILE_BYTES) {
                throw new CheckpointException(
                        "%s has %d bytes, more than any SentencePiece model; check the path".formatted(file, size));
            }
            byte[] bytes = Files.readAllBytes(file);
            ForeignContent.describe(bytes).ifPresent(what -> {
                throw new CheckpointException("%s %s".formatted(file, what));
            });
            return parse(bytes, file.toString());
        } catch (IOException e) {
            throw new CheckpointException(
                    "cannot read the tokenizer %s (%s); a model folder needs its tokenizer.model"
                            .formatted(file, e.getMessage()),
                    e);
        }
    }

    /** @throws CheckpointException if the bytes are not a SentencePiece BPE model */
    public static SentencePieceModel parse(byte[] bytes, String source) {
        return new Parser(source).parse(new ProtobufReader(ByteBuffer.wrap(bytes), source));
    }

    /** Content of a {@code tokenizer.model} that {@link #parse} reads back unchanged. */
    public byte[] toBytes() {
        ProtobufWriter model = new ProtobufWriter();
        for (int id = 0; id < pieces.size(); id++) {
            model.message(
                    1,
                    new ProtobufWriter()
                            .string(1, pieces.get(id))
                            .number(2, scores[id])
                            .varint(3, types.get(id).code));
        }
        ProtobufWriter trainer = new ProtobufWriter()
                .varint(3, MODEL_TYPE_BPE)
                .varint(4, pieces.size())
                .bool(35, byteFallback)
                .varint(40, unkId)
                .varint(41, bosId)
                .varint(42, eosId);
        if (padId >= 0) {
            trainer.varint(43, padId);
        }
        ProtobufWriter normalizer = new ProtobufWriter()
                .string(1, "identity")
                .bool(3, true)
                .bool(4, false)
                .bool(5, true);
        return model.message(2, trainer).message(3, normalizer).toByteArray();
    }

    /** Value of a byte piece, from 0 to 255. */
    int byteValue(int id) {
        return Integer.parseInt(pieces.get(id), 3, 5, 16);
    }

    /** Field numbers are those of sentencepiece_model.proto. */
    private static final class Parser {
        private final String source;
        private final List<String> pieces = new ArrayList<>();
        private final List<Float> scores = new ArrayList<>();
        private final List<PieceType> types = new ArrayList<>();
        private int modelType = 1;
        private boolean byteFallback;
        private int unkId;
        private int bosId = 1;
        private int eosId = 2;
        private int padId = -1;
        private boolean addDummyPrefix = true;
        private boolean removeExtraWhitespaces = true;
        private boolean escapeWhitespaces = true;
        private boolean normalises;

        Parser(String source) {
            this.source = source;
        }

        SentencePieceModel parse(ProtobufReader model) {
            while (model.next()) {
                switch (model.field()) {
                    case 1 -> piece(model.readMessage());
                    case 2 -> trainerSpec(model.readMessage());
                    case 3 -> normalizerSpec(model.readMessage());
                    default -> model.skip();
                }
            }
            check();
            float[] scoreArray = new float[scores.size()];
            for (int i = 0; i < scoreArray.length; i++) {
                scoreArray[i] = scores.get(i);
            }
            return new SentencePieceModel(
                    List.copyOf(pieces), scoreArray, List.copyOf(types), unkId, bosId, eosId, padId, byteFallback);
        }

        private void piece(ProtobufReader message) {
            String text = "";
            float score = 0;
            long type = PieceType.NORMAL.code;
            while (message.next()) {
                switch (message.field()) {
                    case 1 -> text = message.readString();
                    case 2 -> score = message.readFloat();
                    case 3 -> type = message.readVarint();
                    default -> message.skip();
                }
            }
            int id = pieces.size();
            if (text.isEmpty() || !Float.isFinite(score)) {
                throw unusable("piece %d has no text or no finite score".formatted(id));
            }
            pieces.add(text);
            scores.add(score);
            types.add(pieceType(type, id));
        }

        private PieceType pieceType(long code, int id) {
            for (PieceType type : PieceType.values()) {
                if (type.code == code) {
                    return type;
                }
            }
            throw unusable(
                    "piece %d is of kind %d (user-defined or unused), which is not supported".formatted(id, code));
        }

        private void trainerSpec(ProtobufReader message) {
            while (message.next()) {
                switch (message.field()) {
                    case 3 -> modelType = (int) message.readVarint();
                    case 35 -> byteFallback = message.readBool();
                    case 40 -> unkId = (int) message.readVarint();
                    case 41 -> bosId = (int) message.readVarint();
                    case 42 -> eosId = (int) message.readVarint();
                    case 43 -> padId = (int) message.readVarint();
                    default -> message.skip();
                }
            }
        }

        private void normalizerSpec(ProtobufReader message) {
            while (message.next()) {
                switch (message.field()) {
                    case 2 -> normalises = message.readBytes().hasRemaining();
                    case 3 -> addDummyPrefix = message.readBool();
                    case 4 -> removeExtraWhitespaces = message.readBool();
                    case 5 -> escapeWhitespaces = message.readBool();
                    default -> message.skip();
                }
            }
        }

        private void check() {
            if (pieces.isEmpty()) {
                throw unusable("it holds no pieces");
            }
            if (modelType != MODEL_TYPE_BPE) {
                throw unusable("its model type is %d instead of BPE (2)".formatted(modelType));
            }
            if (normalises || !addDummyPrefix || removeExtraWhitespaces || !escapeWhitespaces) {
                throw unusable("it normalises text in another way than LLaMA's (identity, dummy prefix, spaces kept)");
            }
            checkSpecial("unk", unkId, PieceType.UNKNOWN);
            checkSpecial("bos", bosId, PieceType.CONTROL);
            checkSpecial("eos", eosId, PieceType.CONTROL);
            if (padId >= pieces.size()) {
                throw unusable("its pad id %d is not a piece".formatted(padId));
            }
            checkPieces();
        }

        private void checkSpecial(String name, int id, PieceType type) {
            if (id < 0 || id >= pieces.size() || types.get(id) != type) {
                throw unusable("its %s id %d is not a piece of that kind".formatted(name, id));
            }
        }

        private void checkPieces() {
            Map<String, Integer> seen = new HashMap<>();
            int bytePieces = 0;
            for (int id = 0; id < pieces.size(); id++) {
                String piece = pieces.get(id);
                Integer twin = seen.put(piece, id);
                if (twin != null) {
                    throw unusable("pieces %d and %d have the same text".formatted(twin, id));
                }
                if (types.get(id) == PieceType.BYTE) {
                    Matcher matcher = BYTE_PIECE.matcher(piece);
                    if (!matcher.matches()) {
                        throw unusable("byte piece %d is not written as <0xHH>".formatted(id));
                    }
                    bytePieces++;
                }
            }
            // Texts are distinct, so 256 well-formed byte pieces are all of them.
            if (byteFallback && bytePieces != 256) {
                throw unusable("it falls back to bytes but has %d byte pieces".formatted(bytePieces));
            }
        }

        private CheckpointException unusable(String why) {
            return new CheckpointException(
                    "the tokenizer %s cannot be used: %s; take the tokenizer.model that belongs to the checkpoint"
                            .formatted(source, why));
        }
    }
}
