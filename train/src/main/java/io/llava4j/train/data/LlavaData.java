package io.llava4j.train.data;

import io.llava4j.DataException;
import io.llava4j.train.data.format.ImageFolder;
import io.llava4j.train.data.format.Images;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The usable records of a data file and what happened to the others.
 *
 * @param file where they come from
 * @param records in the file's order
 * @param indices place of each record in the file, from 0; differs from its place here once a record was skipped
 * @param skipped what was left out
 * @param joined rows of questions that went on with the conversation of an earlier row about the same image
 * @param repeated rows that say the same about the same image as an earlier one, and were taken once
 * @param leadingAnswersDropped conversations that began with an answer, which was dropped as the reference does
 * @param ownImages images that came with the records; null where they are files of their own
 */
public record LlavaData(
        Path file,
        List<LlavaRecord> records,
        int[] indices,
        List<SkippedRecord> skipped,
        int joined,
        List<SkippedRecord> repeated,
        int leadingAnswersDropped,
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

    /** Names a record the way errors and lists do. */
    public SkippedRecord skip(int position, String reason) {
        return new SkippedRecord(
                file.toString(), indices[position], records.get(position).id(), reason);
    }

    /**
     * Where the records' images are.
     *
     * @param folder of images that are files of their own; of no use if the images came with the records
     * @param followSymlinks whether symbolic links in it may lead out of it
     * @throws DataException if the folder is missing but a record has an image, or it cannot be opened
     */
    public Images images(@Nullable Path folder, boolean followSymlinks) {
        if (ownImages != null) {
            return ownImages;
        }
        if (folder != null) {
            return new ImageFolder(folder, followSymlinks);
        }
        for (int i = 0; i < records.size(); i++) {
            if (!records.get(i).images().isEmpty()) {
                throw new DataException(
                        skip(i, "it has an image, but no folder of images is given; name it (data.images, --images)")
                                .message());
            }
        }
        return image -> {
            throw new DataException("no folder of images is given for '%s'".formatted(image));
        };
    }

    /** Lets go of files the images are in. */
    @Override
    public void close() {
        if (ownImages != null) {
            ownImages.close();
        }
    }
}
