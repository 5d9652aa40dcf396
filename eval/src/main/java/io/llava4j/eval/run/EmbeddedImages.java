package io.llava4j.eval.run;

import io.llava4j.DataException;
import io.llava4j.eval.format.Question;
import io.llava4j.io.AtomicFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Questions that hold their images themselves, as data URLs or in base64. Each image becomes a file that is named by its
 * content, so that an interrupted run finds it again.
 *
 * @param questions the questions, which name those files
 * @param folder of those files, or of the images that the questions name
 */
public record EmbeddedImages(List<Question> questions, Path folder) {
    private static final String DATA_URL = "data:";
    private static final String MARK = ";base64";

    /** How JPEG, PNG, GIF and WebP files begin in base64. */
    private static final List<String> BASE64_HEADS = List.of("/9j/", "iVBORw0KGgo", "R0lGOD", "UklGR");

    /** Longer than any such path. */
    private static final Pattern BASE64 = Pattern.compile("[A-Za-z0-9+/\\s]{60,}={0,2}\\s*");

    /**
     * Writes the images that questions hold into files beside the answers; questions that name files stay as they are.
     *
     * @param images the folder of the images that questions name; null if the user gave none
     * @throws DataException for a damaged image, for questions of both kinds, and for one that names a file without a folder
     */
    public static EmbeddedImages of(List<Question> questions, @Nullable Path images, Path answers) {
        Path folder = answers.resolveSibling(answers.getFileName() + ".embedded");
        List<Question> named = new ArrayList<>();
        @Nullable Question path = null;
        @Nullable Question embedded = null;
        for (Question question : questions) {
            List<String> names = new ArrayList<>();
            for (String image : question.images()) {
                if (isEmbedded(image)) {
                    embedded = embedded == null ? question : embedded;
                    names.add(write(decoded(image, question), folder));
                } else {
                    path = path == null ? question : path;
                    names.add(image);
                }
            }
            named.add(question.withImages(names));
        }
        if (path != null && embedded != null) {
            throw new DataException(
                    "question %s holds its image itself, but question %s names a file; put them into two question files"
                            .formatted(embedded.id(), path.id()));
        }
        if (path != null && images == null) {
            throw new DataException("question %s names the image '%s'; name the folder of the images with --images"
                    .formatted(path.id(), path.image()));
        }
        return new EmbeddedImages(named, embedded == null && images != null ? images : folder);
    }

    private static boolean isEmbedded(String image) {
        return isDataUrl(image)
                || (BASE64_HEADS.stream().anyMatch(image::startsWith)
                        && BASE64.matcher(image).matches());
    }

    private static boolean isDataUrl(String image) {
        return image.regionMatches(true, 0, DATA_URL, 0, DATA_URL.length());
    }

    private static byte[] decoded(String image, Question question) {
        int comma = image.indexOf(',');
        String head = image.substring(0, Math.max(0, comma)).toLowerCase(Locale.ROOT);
        if (isDataUrl(image) && !head.endsWith(MARK)) {
            throw new DataException(
                    "question %s: its image is a data URL, but not in base64; write it to a file and name its path"
                            .formatted(question.id()));
        }
        try {
            return Base64.getDecoder().decode(image.substring(comma + 1).replaceAll("\\s", ""));
        } catch (IllegalArgumentException e) {
            throw new DataException(
                    "question %s: the base64 of its image is damaged (%s); write it to a file and name its path"
                            .formatted(question.id(), e.getMessage()),
                    e);
        }
    }

    private static String write(byte[] image, Path folder) {
        String name = HexFormat.of().formatHex(AnswerIds.sha256(image), 0, 12);
        if (!Files.exists(folder.resolve(name))) {
            AtomicFiles.write(folder.resolve(name), image);
        }
        return name;
    }
}
