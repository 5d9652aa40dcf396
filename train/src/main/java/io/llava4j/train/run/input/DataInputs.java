package io.llava4j.train.run.input;

import io.llava4j.DataException;
import io.llava4j.io.FileErrors;
import io.llava4j.text.Turn;
import io.llava4j.train.data.LlavaRecord;
import io.llava4j.train.data.format.Images;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;

/** Fingerprints of a data set: of its records as training reads them, whatever their format, and of their images; of files. */
public final class DataInputs {
    /** Images of at most so many bytes in all are read whole; of more, evenly spaced ones of about so many bytes. */
    static final long READ_BYTES = 256L << 20;

    private static final int MISSING = -1;

    private DataInputs() {}

    /**
     * Fingerprints of a data set. Of images, all names and sizes count, and the content as far as it is read.
     *
     * @param key of the recipe that names the data set
     * @param all its records
     * @param images of the records
     */
    public static RunInputs of(String key, List<LlavaRecord> all, Images images) {
        Digest records = new Digest();
        SortedMap<String, Long> sizes = new TreeMap<>();
        for (LlavaRecord record : all) {
            records.add(record.images().size());
            record.images().forEach(image -> {
                records.add(image);
                sizes.computeIfAbsent(image, name -> size(images, name));
            });
            records.add(record.turns().size());
            for (Turn turn : record.turns()) {
                records.add(turn.role().name()).add(turn.text());
            }
        }
        Map<String, RunInputs.Fingerprint> fingerprints = new LinkedHashMap<>();
        fingerprints.put("records of " + key, new RunInputs.Fingerprint(all.size(), records.hex()));
        fingerprints.put(
                "images of " + key,
                new RunInputs.Fingerprint(sizes.size(), hash(sizes, image -> content(images, image), READ_BYTES)));
        return new RunInputs(fingerprints);
    }

    /**
     * Fingerprint of files: names and sizes count, and the content as far as it is read.
     *
     * @param files by names that do not depend on where they lie
     */
    public static RunInputs.Fingerprint ofFiles(SortedMap<String, Path> files) {
        SortedMap<String, Long> sizes = new TreeMap<>();
        files.forEach((name, file) -> sizes.put(name, size(file)));
        return new RunInputs.Fingerprint(
                files.size(), hash(sizes, name -> content(Objects.requireNonNull(files.get(name))), READ_BYTES));
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw FileErrors.cannotRead(file, e);
        }
    }

    private static byte[] content(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw FileErrors.cannotRead(file, e);
        }
    }

    /**
     * @param content of an image or file by its name
     * @param readBytes number of bytes that are read at most, about
     */
    static String hash(SortedMap<String, Long> sizes, Function<String, byte[]> content, long readBytes) {
        long sum = sizes.values().stream().mapToLong(size -> size).sum();
        long spacing = Math.max(1, Math.ceilDiv(sum, readBytes));
        Digest digest = new Digest();
        long index = 0;
        for (Map.Entry<String, Long> image : sizes.entrySet()) {
            digest.add(image.getKey()).add(image.getValue());
            if (index++ % spacing == 0 && image.getValue() != MISSING) {
                digest.add(content.apply(image.getKey()));
            }
        }
        return digest.hex();
    }

    private static long size(Images images, String image) {
        try {
            return images.size(image);
        } catch (DataException e) {
            // Left out, or named in an error, when its record is loaded.
            return MISSING;
        }
    }

    private static byte[] content(Images images, String image) {
        try {
            return images.bytes(image);
        } catch (DataException e) {
            return new byte[0];
        }
    }
}
