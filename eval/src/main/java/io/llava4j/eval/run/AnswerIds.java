package io.llava4j.eval.run;

import io.llava4j.eval.format.Question;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * Answer ids of 22 characters in the alphabet of LLaVA's short UUIDs. LLaVA draws them at random; here they follow from
 * model, question and answer, so that equal runs write equal files.
 */
final class AnswerIds {
    private static final String ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    private static final int LENGTH = 22;

    private AnswerIds() {}

    static String of(String modelId, Question question, String answer) {
        String seed = String.join("\0", modelId, question.id().toString(), question.text(), answer);
        BigInteger remaining = new BigInteger(1, sha256(seed));
        BigInteger base = BigInteger.valueOf(ALPHABET.length());
        StringBuilder id = new StringBuilder(LENGTH);
        while (id.length() < LENGTH) {
            BigInteger[] quotient = remaining.divideAndRemainder(base);
            id.append(ALPHABET.charAt(quotient[1].intValue()));
            remaining = quotient[0];
        }
        return id.toString();
    }

    static byte[] sha256(String text) {
        return sha256(text.getBytes(StandardCharsets.UTF_8));
    }

    static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
