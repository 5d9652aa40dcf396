package io.llava4j.train.data;

import io.llava4j.DataException;
import io.llava4j.io.Quote;
import io.llava4j.train.data.format.EmbeddedImages;
import io.llava4j.train.data.format.ImageFolder;
import io.llava4j.train.data.format.Images;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
 * @param ownImages images inside the data set; null if they are separate files
 * @param parts data sets that this one is made of, in the order of the records; empty if it is one file
 */
public record LlavaData(
        Path file,
        List<LlavaRecord> records,
        int[] indices,
        List<SkippedRecord> skipped,
        int joined,
        List<SkippedRecord> repeated,
        int leadingAnswersDropped,
        @Nullable Images ownImages,
        List<Part> parts)
        implements AutoCloseable {
    /**
     * One of several data sets.
     *
     * @param name in the recipe
     * @param data its usable records, each once
     * @param images folder of its images
     * @param samples number of its records in all, repeated ones counted as often as they are there
     */
    public record Part(
            String name, LlavaData data, @Nullable Path images, int samples) {
        /** Number of usable records and of samples, by their names in documents. */
        public Map<String, Integer> counts() {
            Map<String, Integer> counts = new LinkedHashMap<>();
            counts.put("records", data.records().size());
            counts.put("samples_per_epoch", samples);
            return counts;
        }

        /** Number of usable records and of samples, for the user. */
        public String sentence() {
            return "data set %s: %,d records, %,d samples of an epoch"
                    .formatted(name, data.records().size(), samples);
        }
    }

    public LlavaData {
        records = List.copyOf(records);
        skipped = List.copyOf(skipped);
        repeated = List.copyOf(repeated);
        parts = List.copyOf(parts);
        if (records.size() != indices.length) {
            throw new IllegalArgumentException("%d records, %d indices".formatted(records.size(), indices.length));
        }
    }

    /** The same data with other names of sources. */
    LlavaData withRecords(List<LlavaRecord> other) {
        return new LlavaData(file, other, indices, skipped, joined, repeated, leadingAnswersDropped, ownImages, parts);
    }

    /** Number of records with a system prompt of their own. */
    public int systemPrompts() {
        return (int)
                records.stream().filter(record -> !record.system().isEmpty()).count();
    }

    /**
     * Describes a record that is left out.
     *
     * @param position of the record in {@link #records}
     * @param reason one sentence
     */
    public SkippedRecord skip(int position, String reason) {
        return new SkippedRecord(
                fileOf(position).toString(),
                indices[position],
                records.get(position).id(),
                reason);
    }

    private Path fileOf(int position) {
        int end = 0;
        for (Part part : parts) {
            end += part.samples();
            if (position < end) {
                return part.data().file();
            }
        }
        return file;
    }

    /** Number of records that are there at least once. */
    public int distinct() {
        if (parts.isEmpty()) {
            return records.size();
        }
        return parts.stream()
                .mapToInt(part -> Math.min(part.samples(), part.data().records().size()))
                .sum();
    }

    /** The records of each part by its name; all records under an empty name if this is one file. */
    public Map<String, List<LlavaRecord>> recordsByPart() {
        if (parts.isEmpty()) {
            return Map.of("", records);
        }
        Map<String, List<LlavaRecord>> all = new LinkedHashMap<>();
        int from = 0;
        for (Part part : parts) {
            all.put(part.name(), records.subList(from, from + part.samples()));
            from += part.samples();
        }
        return all;
    }

    /**
     * Opens the images of the records.
     *
     * @param folder of images that are separate files; ignored if the data set contains its images, or several sets each
     *     have a folder
     * @param followSymlinks whether symbolic links in it may lead out of it
     * @throws DataException if the folder is missing but a record has an image, or it cannot be opened
     */
    public Images images(@Nullable Path folder, boolean followSymlinks) {
        if (!parts.isEmpty()) {
            Map<String, Images> sets = new LinkedHashMap<>();
            parts.forEach(part -> sets.put(part.name(), part.data().images(part.images(), followSymlinks)));
            return new SetImages(sets);
        }
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
        parts.forEach(part -> part.data().close());
        if (ownImages != null) {
            ownImages.close();
        }
    }
}
