package io.llava4j.train.run;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.stream.Collectors;

/** Decides whether two resolved recipes give the same course of training. */
final class Fingerprint {
    private Fingerprint() {}

    /** Hash of a resolved recipe, without keys that only decide what is reported and saved, or how memory is used. */
    static String of(String yaml) {
        boolean[] relevant = {true};
        String text = yaml.lines()
                .filter(line -> {
                    if (!line.startsWith(" ")) {
                        relevant[0] = !line.startsWith("logging:")
                                && !line.startsWith("checkpoint:")
                                && !line.startsWith("gradient-checkpointing:")
                                && !line.startsWith("output:");
                    }
                    return relevant[0] && !line.startsWith("  max-left-out:");
                })
                .collect(Collectors.joining("\n"));
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, 16);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
