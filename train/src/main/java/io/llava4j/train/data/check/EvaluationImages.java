package io.llava4j.train.data.check;

import io.llava4j.DataException;
import io.llava4j.image.ImageDecoder;
import io.llava4j.io.Progress;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Evaluation images, which must not be in the training data: known by name and, if the files exist, by perceptual hash.
 * Names are compared without folder, extension and COCO's prefixes, so that {@code coco/train2017/000000000285.jpg} equals
 * {@code COCO_val2014_000000000285.jpg}.
 */
public final class EvaluationImages {
    /**
     * Number of bits in which two hashes of the same image may differ; at most 15, so that one of 16 chunks is equal. Measured on 111
     * photos of COCO: copies scaled to 3/4, 1/2 and 1/4 differ in at most 3, 5 and 8 bits, to 1/8 in at most 19 (110 of
     * 111 are found), JPEG of quality 75 and 30 (60 of the photos) in at most 5
     * and 14; cropped by 1 % at each edge 27 of 60 are found, by 2 % two; the closest two of the 6,105 pairs of different
     * photos differ in 74.
     */
    static final int SAME_BITS = 15;

    /** Hashes that differ in more bits belong to different images, even after cropping or framing. */
    private static final int OTHER_BITS = 64;

    private static final Pattern IMAGE_NAME =
            Pattern.compile("[^\"'\\s,:;/\\\\]+\\.(?:jpe?g|png|gif|bmp|webp)", Pattern.CASE_INSENSITIVE);
    private static final Pattern COCO_PREFIX = Pattern.compile("coco_(?:train|val|test)\\d{4}_");
    private static final int CHUNKS = 16;

    private final Map<String, String> names = new HashMap<>();
    private final List<Map<Integer, List<Hashed>>> chunks = Stream.generate(HashMap<Integer, List<Hashed>>::new)
            .limit(CHUNKS)
            .<Map<Integer, List<Hashed>>>map(m -> m)
            .toList();
    private final Map<String, PerceptualHash> hashByName = new HashMap<>();

    private record Hashed(PerceptualHash hash, String name) {}

    private EvaluationImages() {}

    /**
     * Reads evaluation sets.
     *
     * @param sets folders of images, and files that name images: question files, lists
     * @param threads number of threads that decode
     * @param progress called with the number of images read
     */
    public static EvaluationImages read(List<Path> sets, int threads, Progress progress) {
        EvaluationImages all = new EvaluationImages();
        List<Path> images = new ArrayList<>();
        for (Path set : sets) {
            try {
                if (Files.isDirectory(set)) {
                    try (Stream<Path> files = Files.walk(set)) {
                        files.filter(file -> IMAGE_NAME
                                        .matcher(file.getFileName().toString())
                                        .matches())
                                .sorted()
                                .forEach(images::add);
                    }
                } else {
                    all.addNames(set);
                }
            } catch (IOException e) {
                throw new DataException(
                        "evaluation set %s cannot be read: %s; name a folder of images or a file that names them"
                                .formatted(set, e.getMessage()),
                        e);
            }
        }
        Map<Path, Optional<PerceptualHash>> hashes = new ConcurrentHashMap<>();
        Workers.each(images, threads, file -> hashes.put(file, hash(file)), progress);
        for (Path image : images) {
            String name = image.getFileName().toString();
            all.names.putIfAbsent(key(name), image.toString());
            hashes.getOrDefault(image, Optional.empty()).ifPresent(hash -> {
                all.hashByName.putIfAbsent(key(name), hash);
                all.add(hash, image.toString());
            });
        }
        if (all.names.isEmpty()) {
            throw new DataException(
                    "no image is named by %s; name folders of images or question files".formatted(sets));
        }
        return all;
    }

    /** Number of images known by name. */
    public int size() {
        return names.size();
    }

    /** The evaluation image with the same name, unless the pixels show that it is another image. */
    Optional<String> named(String image, PerceptualHash hash) {
        PerceptualHash known = hashByName.get(key(image));
        return known != null && known.distance(hash) > OTHER_BITS
                ? Optional.empty()
                : Optional.ofNullable(names.get(key(image)));
    }

    /** The evaluation image with nearly the same hash, if there is one. */
    Optional<String> like(PerceptualHash hash) {
        if (hash.isFlat()) {
            return Optional.empty();
        }
        for (int i = 0; i < CHUNKS; i++) {
            for (Hashed other : chunks.get(i).getOrDefault(hash.chunk(i), List.of())) {
                if (hash.distance(other.hash()) <= SAME_BITS) {
                    return Optional.of(other.name());
                }
            }
        }
        return Optional.empty();
    }

    private void add(PerceptualHash hash, String name) {
        for (int i = 0; i < CHUNKS; i++) {
            chunks.get(i)
                    .computeIfAbsent(hash.chunk(i), chunk -> new ArrayList<>())
                    .add(new Hashed(hash, name));
        }
    }

    private void addNames(Path file) throws IOException {
        try (BufferedReader reader = Files.newBufferedReader(file, StandardCharsets.ISO_8859_1)) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                for (Matcher name = IMAGE_NAME.matcher(line); name.find(); ) {
                    names.putIfAbsent(key(name.group()), file.getFileName() + ": " + name.group());
                }
            }
        }
    }

    private static Optional<PerceptualHash> hash(Path file) {
        try {
            return Optional.of(PerceptualHash.of(ImageDecoder.decode(file)));
        } catch (DataException e) {
            return Optional.empty(); // it is still known by name
        }
    }

    static String key(String image) {
        String name = image.substring(Math.max(image.lastIndexOf('/'), image.lastIndexOf('\\')) + 1)
                .toLowerCase(Locale.ROOT);
        int dot = name.lastIndexOf('.');
        return COCO_PREFIX.matcher(dot > 0 ? name.substring(0, dot) : name).replaceFirst("");
    }
}
