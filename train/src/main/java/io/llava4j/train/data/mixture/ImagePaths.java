package io.llava4j.train.data.mixture;

import io.llava4j.train.data.format.ImageLocator;
import io.llava4j.train.data.raw.CocoNames;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Paths of a source's images below the image folder, and whether the images are there. */
final class ImagePaths {
    private final String prefix;
    private final @Nullable Path folder;
    private final Rules rules;

    /**
     * @param prefix folder of the source below the image folder, may be empty
     * @param folder the image folder; null if images are not looked for
     * @param rules of the source
     */
    ImagePaths(String prefix, @Nullable Path folder, Rules rules) {
        this.prefix = prefix.isEmpty() || prefix.endsWith("/") ? prefix : prefix + "/";
        this.folder = folder;
        this.rules = rules;
    }

    /** Whether a conversation is rejected if its image is missing. */
    boolean areChecked() {
        return folder != null && rules.on(Rule.IMAGE_PRESENCE);
    }

    /**
     * The path that a record names an image by.
     *
     * @param image file name as the raw file has it
     * @throws RejectedException if the path cannot be used or the image is missing
     */
    String of(String image) {
        String renamed = rules.on(Rule.COCO_2017_NAMES) ? CocoNames.renamedTo2017(image) : image;
        String path = renamed.startsWith(prefix) ? renamed : prefix + renamed;
        String complaint = ImageLocator.complaint(path);
        if (complaint != null) {
            throw new RejectedException(Rejections.INVALID, complaint);
        }
        if (areChecked() && !exists(path)) {
            throw new RejectedException(Rule.IMAGE_PRESENCE, "its image %s is not in the image folder".formatted(path));
        }
        return path;
    }

    private boolean exists(String path) {
        try {
            return folder != null && Files.isRegularFile(folder.resolve(path));
        } catch (InvalidPathException e) {
            return false;
        }
    }
}
