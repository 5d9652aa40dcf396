package io.llava4j.train.batch;

import io.llava4j.io.FileErrors;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** Distinguishes data files from requests in OpenAI's batch format, which say themselves how they are decoded. */
public final class BatchFormat {
    private static final int HEAD_BYTES = 1 << 16;

    private static final Pattern CUSTOM_ID = Pattern.compile("\"custom_id\"\\s*:");
    private static final Pattern REQUEST = Pattern.compile("\"(?:body|url|method)\"\\s*:");

    private BatchFormat() {}

    /** Whether a file holds requests in OpenAI's format, which its first lines show. */
    public static boolean isOpenAi(Path file) {
        if (!Files.isRegularFile(file)) {
            return false;
        }
        try (InputStream in = Files.newInputStream(file)) {
            String head = new String(in.readNBytes(HEAD_BYTES), StandardCharsets.ISO_8859_1);
            return CUSTOM_ID.matcher(head).find() && REQUEST.matcher(head).find();
        } catch (IOException e) {
            throw FileErrors.cannotRead(file, e);
        }
    }
}
