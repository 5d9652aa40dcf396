package io.llava4j.app.serve.openai;

import io.llava4j.app.serve.http.Json;
import io.llava4j.generate.schedule.ChosenToken;
import io.llava4j.generate.schedule.TokenLogprob;
import io.llava4j.text.PieceType;
import io.llava4j.text.SentencePieceTokenizer;
import java.nio.charset.StandardCharsets;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Tokens with their log-probabilities, as this API writes them. */
final class Logprobs {
    /** This API's number for "impossible". */
    private static final double LOWEST = -9999;

    private final SentencePieceTokenizer tokenizer;

    Logprobs(SentencePieceTokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /** Whether a token is part of the answer's text; the one that ends an answer is not. */
    boolean isText(ChosenToken token) {
        return token.id() != tokenizer.eosId();
    }

    /** A token with the likeliest ones in its place. */
    ObjectNode of(ChosenToken token) {
        ObjectNode node = token(token.id(), token.logprob());
        ArrayNode top = node.putArray("top_logprobs");
        for (TokenLogprob each : token.top()) {
            top.add(token(each.id(), each.logprob()));
        }
        return node;
    }

    private ObjectNode token(int id, double logprob) {
        byte[] bytes = bytes(id);
        ObjectNode node = Json.object()
                .put("token", new String(bytes, StandardCharsets.UTF_8))
                .put("logprob", Math.max(LOWEST, logprob));
        ArrayNode array = node.putArray("bytes");
        for (byte each : bytes) {
            array.add(each & 0xff);
        }
        return node;
    }

    /** Text of a token alone. */
    String text(int id) {
        return new String(bytes(id), StandardCharsets.UTF_8);
    }

    private byte[] bytes(int id) {
        if (id < tokenizer.vocabSize() && tokenizer.model().types().get(id) == PieceType.BYTE) {
            return new byte[] {(byte) Integer.parseInt(tokenizer.piece(id).substring(3, 5), 16)}; // <0xHH>
        }
        return tokenizer.piece(id).replace('\u2581', ' ').getBytes(StandardCharsets.UTF_8);
    }
}
