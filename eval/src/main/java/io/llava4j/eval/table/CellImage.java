package io.llava4j.eval.table;

import io.llava4j.DataException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HexFormat;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * An image in a cell of a table.
 *
 * @param name a file name from its content, so that equal images have one name; or the path, where the cell holds that
 * @param bytes the image file; null for a path
 */
record CellImage(String name, byte @Nullable [] bytes) {
    private static final Pattern DATA_URL = Pattern.compile("^data:[^,]*;base64,");
    private static final Pattern SPACE = Pattern.compile("\\s");
    private static final Pattern BASE64 = Pattern.compile("[A-Za-z0-9+/\\s]{24,}={0,2}\\s*");
    private static final int DIGITS = 24;

    /**
     * The image of a cell.
     *
     * @param cell bytes, a struct of {@code bytes} and {@code path}, base64, a data URL or a path
     * @throws DataException if it is none of them
     */
    static CellImage of(JsonNode cell, String where) {
        try {
            if (cell.isBinary()) {
                return of(cell.binaryValue());
            }
            if (cell.isObject()) {
                return of(cell.hasNonNull("bytes") ? cell.path("bytes") : cell.path("path"), where);
            }
            String text = cell.asString("");
            boolean url = DATA_URL.matcher(text).find();
            if (!url && !(BASE64.matcher(text).matches() && text.lastIndexOf('.') < 0)) {
                if (text.isBlank()) {
                    throw new DataException(where + ": holds no image");
                }
                return new CellImage(text, null);
            }
            return of(Base64.getDecoder()
                    .decode(SPACE.matcher(DATA_URL.matcher(text).replaceFirst(""))
                            .replaceAll("")));
        } catch (IllegalArgumentException e) {
            throw new DataException("%s: is not base64 (%s)".formatted(where, e.getMessage()), e);
        }
    }

    private static CellImage of(byte[] bytes) {
        try {
            String hash = HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
            boolean png = bytes.length > 1 && bytes[0] == (byte) 0x89 && bytes[1] == 'P';
            return new CellImage(hash.substring(0, DIGITS) + (png ? ".png" : ".jpg"), bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
