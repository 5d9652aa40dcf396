package io.llava4j.eval.run;

import io.llava4j.DataException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/**
 * The folder of a question file's images; rejects names that lead out of it.
 *
 * @param folder an existing folder
 */
record ImageRoot(Path folder) {
    /**
     * The file of an image, which need not exist.
     *
     * @param image as the question names it
     * @param where the question, for messages
     * @throws DataException if the name is absolute or leads out of the folder
     */
    Path resolve(String image, String where) {
        Path root = folder.toAbsolutePath().normalize();
        Path path;
        try {
            path = root.resolve(image).normalize();
        } catch (InvalidPathException e) {
            throw new DataException("%s: image '%s' is not a file name".formatted(where, image), e);
        }
        if (!path.startsWith(root) || path.equals(root) || Path.of(image).isAbsolute()) {
            throw new DataException("%s: image '%s' leads out of the image folder %s; name a file inside it"
                    .formatted(where, image, folder));
        }
        return path;
    }
}
