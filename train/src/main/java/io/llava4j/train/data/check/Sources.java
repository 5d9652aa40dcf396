package io.llava4j.train.data.check;

import io.llava4j.train.data.LlavaRecord;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Collectors;

/** Sources of records: the first folder of the image, as in LLaVA's mixtures. */
public final class Sources {
    /** Records without an image. */
    public static final String TEXT = "text";
    /** Records whose image is in no folder. */
    public static final String NO_FOLDER = "(no folder)";
    /** All records with an image, if the folders are not sources. */
    public static final String IMAGES = "images";
    /** If there are more folders, they only keep folders small, as in LCS-558K, and are not sources. */
    private static final int MAX_SOURCES = 40;

    /** Records of {@code llava_v1_5_mix665k.json} by the first folder of their images (docs/reference/data.md#instruction-mixture). */
    public static final SequencedMap<String, Integer> MIX665K = mix665k();

    private Sources() {}

    /** A record's source, which the first of its images decides. */
    public static String of(LlavaRecord record) {
        if (record.images().isEmpty()) {
            return TEXT;
        }
        String image = record.images().getFirst();
        int slash = image.indexOf('/');
        return slash < 1 ? NO_FOLDER : image.substring(0, slash);
    }

    /** Number of records of each source, the largest first. */
    public static SequencedMap<String, Integer> count(List<LlavaRecord> records) {
        Map<String, Integer> counts = new LinkedHashMap<>();
        records.forEach(record -> counts.merge(of(record), 1, Integer::sum));
        if (counts.size() > MAX_SOURCES) {
            int text = counts.getOrDefault(TEXT, 0);
            counts.clear();
            counts.put(IMAGES, records.size() - text);
            if (text > 0) {
                counts.put(TEXT, text);
            }
        }
        return counts.entrySet().stream()
                .sorted(Map.Entry.<String, Integer>comparingByValue(Comparator.reverseOrder())
                        .thenComparing(Map.Entry.comparingByKey()))
                .collect(Collectors.toMap(
                        Map.Entry::getKey, Map.Entry::getValue, (one, other) -> one, LinkedHashMap::new));
    }

    private static SequencedMap<String, Integer> mix665k() {
        SequencedMap<String, Integer> counts = new LinkedHashMap<>();
        counts.put("coco", 364_100);
        counts.put("vg", 86_417);
        counts.put("ocr_vqa", 80_000);
        counts.put("gqa", 72_140);
        counts.put(TEXT, 40_688);
        counts.put("textvqa", 21_953);
        return java.util.Collections.unmodifiableSequencedMap(counts);
    }
}
