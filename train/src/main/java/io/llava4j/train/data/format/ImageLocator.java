package io.llava4j.train.data.format;

import io.llava4j.DataException;
import io.llava4j.io.Quote;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The rule for image paths in data files: relative to the image folder, or absolute and inside it. Every other path is
 * refused in words that name the remedy, and the file that was probably meant.
 */
public final class ImageLocator {
    private static final Pattern ADDRESS = Pattern.compile("([A-Za-z][A-Za-z0-9+.-]{1,15})://.*", Pattern.DOTALL);
    private static final Pattern DRIVE = Pattern.compile("[A-Za-z]:.*", Pattern.DOTALL);
    private static final Pattern BASE64 = Pattern.compile("[A-Za-z0-9+/\\s]{40,}={0,2}\\s*");
    private static final int LONGEST_PATH = 4096;

    /** Digits of base64 that show what kind of image follows. */
    private static final int HEAD = 16;

    private final @Nullable Path root;
    private final SimilarFiles similar;

    /** @param root the image folder; null if none is given */
    public ImageLocator(@Nullable Path root) {
        this.root = root;
        this.similar = new SimilarFiles(root);
    }

    /** Says what is wrong with an image's path, without access to the disk; null if the path stays in its folder. */
    public static @Nullable String complaint(String image) {
        String complaint = otherThanPath(image);
        return complaint == null && (isAbsolute(image) || climbs(image))
                ? leaves(image, "the image folder")
                : complaint;
    }

    /**
     * The path below the image folder.
     *
     * @param image as a data file has it
     * @return the path itself if it is relative
     * @throws DataException if it is no path, or leaves the folder
     */
    public String relative(String image) {
        if (root == null || !isAbsolute(image) || otherThanPath(image) != null || climbs(image)) {
            String complaint = complaint(image);
            if (complaint != null) {
                throw new DataException(complaint);
            }
            return image;
        }
        String inside = inside(root, image);
        if (inside != null) {
            return inside;
        }
        String like = similar.to(image);
        throw new DataException(
                like == null
                        ? leaves(image, "the image folder " + root)
                        : "image path %s leaves the image folder %s; %s".formatted(Quote.of(image), root, like));
    }

    /** Says that there is no such image, and names the file that was probably meant. */
    String missing(String image) {
        String like = similar.to(image);
        return "image %s does not exist in %s; %s"
                .formatted(Quote.of(image), root, like == null ? "download it or correct the path" : like);
    }

    private static String leaves(String image, String folder) {
        return "image path %s leaves %s; write one relative to it, without ..".formatted(Quote.of(image), folder);
    }

    private static @Nullable String otherThanPath(String image) {
        if (image.isBlank() || image.indexOf('\0') >= 0) {
            return "the image path is empty or not a path; write one relative to the image folder";
        }
        Matcher address = ADDRESS.matcher(image);
        if (address.matches()) {
            String scheme = address.group(1).toLowerCase(Locale.ROOT);
            return scheme.equals("file")
                    ? "the image %s is a file address; write the path alone, without file://".formatted(Quote.of(image))
                    : "the image %s is a web address; download it and write the path of the file"
                            .formatted(Quote.of(image));
        }
        if (isEmbedded(image)) {
            return "the image is in the record itself (%s); write it to a file and name its path"
                    .formatted(Quote.of(image));
        }
        return image.length() > LONGEST_PATH
                ? "the image %s is longer than any path and no image in base64; write it to a file and name its path"
                        .formatted(Quote.of(image))
                : null;
    }

    /** Whether this is no path but an image: a data URL, or base64 that begins as image files do. */
    static boolean isEmbedded(String image) {
        if (image.regionMatches(true, 0, "data:", 0, 5)) {
            return true;
        }
        if (!BASE64.matcher(image).matches()) {
            return false;
        }
        String digits =
                image.substring(0, Math.min(image.length(), LONGEST_PATH)).replaceAll("\\s", "");
        return digits.length() >= HEAD
                && ImageSignature.of(Base64.getDecoder().decode(digits.substring(0, HEAD))) != null;
    }

    private static boolean isAbsolute(String image) {
        return image.startsWith("/")
                || image.startsWith("\\")
                || DRIVE.matcher(image).matches();
    }

    /** Whether a path has a {@code ..}. */
    static boolean climbs(String image) {
        return Stream.of(image.split("[/\\\\]", -1)).anyMatch(".."::equals);
    }

    /** The path of an absolute path below the folder; null if it is not inside. */
    private static @Nullable String inside(Path root, String image) {
        try {
            Path path = Path.of(image);
            Path folder = root.toAbsolutePath().normalize();
            if (!path.normalize().startsWith(folder)) {
                folder = root.toRealPath();
                path = Files.exists(path) ? path.toRealPath() : path;
            }
            return path.normalize().startsWith(folder)
                    ? folder.relativize(path.normalize()).toString().replace('\\', '/')
                    : null;
        } catch (IOException | InvalidPathException e) {
            return null;
        }
    }
}
