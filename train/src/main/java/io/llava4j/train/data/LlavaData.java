package io.llava4j.train.data;

import io.llava4j.DataException;
import io.llava4j.io.Quote;
import io.llava4j.train.data.format.EmbeddedImages;
import io.llava4j.train.data.format.ImageFolder;
import io.llava4j.train.data.format.Images;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The usable records of a data set, and what was left out.
 *
 * @param file that was read
 * @param records in the file's order
 * @param indices index of each record in the file, from 0; higher than its index here after a skipped record
 * @param skipped records that were left out
 * @param joined number of rows that were added to the conversation of an earlier row about the same image
 * @param repeated rows with the same question and answer about the same image as an earlier one; used once
 * @param leadingAnswersDropped number of conversations that began with an answer, which was dropped as LLaVA does
 * @param systemPromptsDropped number of conversations whose own system prompt was dropped; the template has one
 * @param ownImages images inside the data set; null if they are separate files
 */
public record LlavaData(
        Path file,
        List<LlavaRecord> records,
        int[] indices,
        List<SkippedRecord> skipped,
        int joined,
        List<SkippedRecord> repeated,
        int leadingAnswersDropped,
        int systemPromptsDropped,
        @Nullable Images ownImages)
        implements AutoCloseable {
    public LlavaData {
        records = List.copyOf(records);
        skipped = List.copyOf(skipped);
        repeated = List.copyOf(repeated);
        if (records.size() != indices.length) {
            throw new IllegalArgumentException("%d records, %d indices".formatted(records.size(), indices.length));
        }
    }

    /**
     * Describes a record that is left out.
     *
     * @param position of the record in {@link #records}
     * @param reason one sentence
     */
    public SkippedRecord skip(int position, String reason) {
        return new SkippedRecord(
                file.toString(), indices[position], records.get(position).id(), reason);
    }

    /**
     * Opens the images of the records.
     *
     * @param folder of images that are separate files; ignored if the data set contains its images
     * @param followSymlinks whether symbolic links in it may lead out of it
     * @throws DataException if the folder is missing but a record has an image, or it cannot be opened
     */
    public Images images(@Nullable Path folder, boolean followSymlinks) {
        if (ownImages instanceof EmbeddedImages embedded) {
            return embedded.orElse(files(folder, followSymlinks, embedded));
        }
        return ownImages != null ? ownImages : files(folder, followSymlinks, null);
    }

    /** Images that are files, but for those that records have in themselves. */
    private Images files(@Nullable Path folder, boolean followSymlinks, @Nullable EmbeddedImages embedded) {
        if (folder != null) {
            return new ImageFolder(folder, followSymlinks);
        }
        for (int i = 0; i < records.size(); i++) {
            if (!records.get(i).images().stream().allMatch(image -> embedded != null && embedded.contains(image))) {
                throw new DataException(
                        skip(i, "it has an image, but no folder of images is given; name it (data.images, --images)")
                                .message());
            }
        }
        return image -> {
            throw new DataException("no folder of images is given for %s".formatted(Quote.of(image)));
        };
    }

    /** Closes the files that contain images. */
    @Override
    public void close() {
        if (ownImages != null) {
            ownImages.close();
        }
    }
}
